import FleetTracking
import Testing

@testable import SchedulerRuntime

@Suite struct WatchPlanTests {
    private func at(_ seconds: Double) -> Instant { Instant(nanoseconds: Int64(seconds * 1e9)) }

    private func started() -> WatchPlan {
        var plan = WatchPlan(settings: WatchSettings(), now: at(0))
        #expect(plan.next(now: at(0)) == .models)
        plan.modelsEnded(succeeded: true, now: at(0), jitter: 1)
        #expect(plan.next(now: at(0)) == .scrape)
        plan.scrapeEnded(.sampled, now: at(0), jitter: 1)
        #expect(plan.next(now: at(0)) == .health)
        plan.healthEnded(healthy: true, now: at(0), jitter: 1)
        return plan
    }

    @Test func aWellEndpointIsScrapedEachSecond() {
        let plan = started()
        #expect(plan.next(now: at(0.5)) == .wait(until: at(1)))
        #expect(plan.next(now: at(1)) == .scrape)
    }

    @Test func aFailedScrapeAsksForHealthAtOnce() {
        var plan = started()
        plan.scrapeEnded(.failed, now: at(1), jitter: 1)
        #expect(plan.next(now: at(1)) == .health)
        plan.healthEnded(healthy: false, now: at(1), jitter: 1)
        #expect(plan.next(now: at(1.5)) == .wait(until: at(2)))
    }

    @Test func anEndpointThatComesBackIsAskedForItsModels() {
        var plan = started()
        plan.healthEnded(healthy: false, now: at(5), jitter: 1)
        plan.scrapeEnded(.failed, now: at(5), jitter: 1)
        plan.healthEnded(healthy: true, now: at(6), jitter: 1)
        #expect(plan.next(now: at(6)) == .models)
    }

    @Test func absentMetricsAreAskedForSeldomAndHealthDecides() {
        var plan = started()
        plan.scrapeEnded(.absent, now: at(1), jitter: 1)
        #expect(plan.next(now: at(2)) == .wait(until: at(5)))
        #expect(plan.next(now: at(5)) == .health)
    }

    @Test func aFailedModelListIsReadAgainSoon() {
        var plan = started()
        plan.modelsEnded(succeeded: false, now: at(0.2), jitter: 1)
        plan.scrapeEnded(.sampled, now: at(1), jitter: 1)
        #expect(plan.next(now: at(1.2)) == .models)
    }
}
