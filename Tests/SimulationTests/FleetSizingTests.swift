import EngineModel
import FleetTracking
import Testing

@testable import Simulation

@Suite struct FleetSizingTests {
    /// The smallest of sizes that meet what is asked, and which were tried.
    private func search(upTo most: Int = 64, _ meets: (Int) -> Bool) -> (trial: FleetTrial, tried: [Int]) {
        var tried: [Int] = []
        let trial = FleetSizing.smallest(upTo: most) { size in
            tried.append(size)
            return FleetTrial(
                endpoints: size, firstToken: 0, perToken: 0, refused: 0, jobsLeft: 0, jobs: 0,
                misses: meets(size) ? [] : ["too few"])
        }
        return (trial, tried)
    }

    @Test func `every threshold is found, and no size is tried twice`() {
        for threshold in 1...64 {
            let (trial, tried) = search { $0 >= threshold }
            #expect(trial.endpoints == threshold && trial.meets)
            #expect(Set(tried).count == tried.count)
        }
    }

    @Test func `a lucky size is no plan`() {
        let (trial, _) = search { $0 == 4 || $0 >= 11 }
        #expect(trial.endpoints == 11)
    }

    @Test func `a gap above smaller sizes is looked behind`() {
        // Halving ends at 8; 5 and 6 meet it too.
        let (trial, _) = search { $0 >= 5 && $0 != 7 }
        #expect(trial.endpoints == 5)
    }

    @Test func `where none is enough the largest is told`() {
        let (trial, tried) = search(upTo: 20) { _ in false }
        #expect(trial.endpoints == 20 && !trial.meets)
        #expect(tried == [1, 2, 4, 8, 16, 20])
        #expect(search(upTo: 20) { $0 == 20 }.trial.meets)
    }
}

@Suite struct FleetPlanTests {
    private static func plan(rate: Double, firstToken: Double? = 400, perToken: Double? = 60) -> FleetPlan {
        var traffic = SyntheticTrace()
        traffic.requests = 500
        traffic.startsPerSecond = rate
        return FleetPlan(
            trace: traffic.generate(seed: 7), profile: .standard,
            objectives: Objectives(firstToken: firstToken, perToken: perToken))
    }

    @Test func `more traffic needs more endpoints`() {
        let few = Self.plan(rate: 10).realtimeFleet()
        let many = Self.plan(rate: 60).realtimeFleet()
        #expect(few.meets && many.meets)
        #expect(few.endpoints < many.endpoints)
        #expect(many.firstToken <= 400 && many.perToken <= 60)
    }

    @Test func `what cannot be met is named, with how much is missing`() {
        var plan = Self.plan(rate: 10, firstToken: 5)
        plan.mostEndpoints = 4
        let trial = plan.realtimeFleet()
        #expect(trial.endpoints == 4)
        #expect(trial.misses.count == 1, "\(trial.misses)")
        #expect(trial.misses.first?.hasPrefix("TTFT p99 is ") == true)
        #expect(trial.misses.first?.hasSuffix(" above the objective of 5 ms") == true)
    }

    @Test func `a backlog has so much of the traffic's tokens, the same for the same seed`() {
        let plan = Self.plan(rate: 10)
        func tokens(_ requests: [TraceRequest]) -> Int { requests.reduce(0) { $0 + $1.promptTokens + $1.outputTokens } }
        let backlog = plan.backlog(ratio: 0.5)
        let ratio = Double(tokens(backlog)) / Double(tokens(plan.trace.requests))
        #expect((0.5...0.53).contains(ratio), "\(ratio)")
        #expect(backlog == plan.backlog(ratio: 0.5))
        #expect(backlog.allSatisfy { $0.blocks.isEmpty && $0.arrival == 0 })
        #expect(plan.backlog(ratio: 0).isEmpty)
    }

    @Test func `one pool has to do what both silos do`() {
        let plan = Self.plan(rate: 40)
        let backlog = plan.backlog(ratio: 1)
        let (realtime, alone) = (plan.realtimeFleet(), plan.asyncFleet(for: backlog))
        let pool = plan.pool(with: backlog)
        #expect(realtime.meets && alone.meets && pool.meets, "\(realtime) \(alone) \(pool)")
        #expect(pool.endpoints >= realtime.endpoints && pool.endpoints >= alone.endpoints)
        #expect(pool.jobsLeft == 0 && alone.jobsLeft == 0)
    }

    @Test func `a backlog that is too long for the time is named`() {
        var plan = Self.plan(rate: 100)
        plan.mostEndpoints = 1
        let trial = plan.asyncFleet(for: plan.backlog(ratio: 4))
        #expect(!trial.meets && trial.jobsLeft > 0)
        #expect(trial.misses == ["\(trial.jobsLeft) of \(trial.jobs) jobs of the backlog are not done in time"])
    }
}
