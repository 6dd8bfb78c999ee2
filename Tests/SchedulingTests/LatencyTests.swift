import EndpointPicking
import EngineModel
import FleetTracking
import FlowControl
import Scheduling
import Testing

/// Predictions against simulated engines in virtual time. Requests are as in the Azure conversation trace (mean prompt
/// 1150 tokens, mean answer 206); 0.7 of the capacity of an endpoint with them is 13.1 a second on an H100 and 5.3 on an
/// A100.
@Suite struct LatencyTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var profile: String
        var perSecond: Double
        /// What the priors are of the truth.
        var factors: [Double]
        var picks = PickProfile.predicted

        var testDescription: String { "\(profile), priors times \(factors)" }
    }

    static let cases = [
        Case(profile: "llama-3.1-8b-h100", perSecond: 13.1, factors: [2, 0.5, 2, 0.5, 2, 0.5]),
        Case(profile: "llama-3.1-8b-h100", perSecond: 13.1, factors: [2, 2, 2, 2, 2, 2], picks: .standard),
        Case(profile: "llama-3.1-8b-a100", perSecond: 5.3, factors: [0.5, 0.5, 0.5, 0.5, 0.5, 0.5]),
        Case(profile: "llama-3.1-8b-a100", perSecond: 5.3, factors: [0.5, 2, 0.5, 2, 0.5, 2]),
    ]

    static func terms(_ step: StepTime, _ factors: [Double]) -> StepTerms {
        StepTerms(
            floor: (step.weightReadMilliseconds + step.fixedMilliseconds) * factors[0],
            base: (step.baseMilliseconds + step.fixedMilliseconds) * factors[1],
            token: step.linearMillisecondsPerToken * factors[2], context: step.kvReadMillisecondsPerToken * factors[3],
            pair: step.attentionMillisecondsPerPair * factors[4], sequence: step.sequenceMilliseconds * factors[5])
    }

    static func town(_ test: Case, seed: UInt64) throws -> EngineTown {
        let engine = try #require(EngineProfile.named(test.profile))
        var pool = PoolSettings()
        pool.profile = test.picks
        pool.fleet.latency.priors = [terms(engine.stepTime, test.factors)]
        return EngineTown(engine, endpoints: 4, pool: pool, seed: seed)
    }

    static func quantile(_ values: [Double], _ share: Double) -> Double {
        let sorted = values.sorted()
        return sorted.isEmpty ? .infinity : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
    }

    /// Relative errors of the predicted time to the first token, and of the step after it.
    static func errors(_ visits: some Sequence<EngineTown.Visit>) -> (first: [Double], next: [Double]) {
        var found: (first: [Double], next: [Double]) = ([], [])
        for visit in visits {
            guard let firstAt = visit.firstAt, let forecast = visit.forecast else { continue }
            let took = (firstAt - visit.sentAt).milliseconds
            found.first.append(abs(forecast.firstToken - took) / took)
            guard let next = visit.nextStep, next.actual > 0 else { continue }
            found.next.append(abs(next.predicted - next.actual) / next.actual)
        }
        return found
    }

    @Test(arguments: cases) func `predictions are right after 500 requests from priors twice off`(_ test: Case) throws {
        var town = try Self.town(test, seed: 7)
        town.run(900, perSecond: test.perSecond * 4, make: EngineTown.chat)
        town.runAgenda(to: town.now + .seconds(5))
        let errors = Self.errors(town.visits[500...])
        try #require(errors.first.count > 300 && errors.next.count > 300)
        // Steps have 4 % of noise, so that no prediction of one has a median error below 2.7 %.
        #expect(Self.quantile(errors.next, 0.5) <= 0.05)
        #expect(Self.quantile(errors.first, 0.5) <= 0.10)
        #expect(Self.quantile(errors.first, 0.9) <= 0.30)
        // Before anything was learned they were not.
        #expect(Self.quantile(Self.errors(town.visits[..<8]).first, 0.5) > 0.25)
    }

    @Test func `an endpoint that slows three times is learned anew within 30 seconds of its traffic`() throws {
        // Each endpoint gets its share, however slow: 4 a second are two thirds of what a slowed one can do.
        var test = Self.cases[0]
        test.picks = PickProfile(scorers: [], picker: .roundRobin)
        var town = try Self.town(test, seed: 3)
        town.run(400, perSecond: 16, make: EngineTown.chat)
        for slowness in [3.0, 1.0] {
            town.machines[0].slowness = slowness
            let changedAt = town.now
            town.run(10_000, perSecond: 16, until: .seconds(30), make: EngineTown.chat)
            let learnedAt = town.visits.count
            town.run(10_000, perSecond: 16, until: .seconds(20), make: EngineTown.chat)
            town.runAgenda(to: town.now + .seconds(3))
            let there = Self.errors(town.visits[learnedAt...].filter { $0.endpoint == 0 })
            let elsewhere = Self.errors(town.visits.filter { $0.arrivedAt > changedAt && $0.endpoint != 0 })
            try #require(there.next.count > 10 && elsewhere.next.count > 100)
            #expect(Self.quantile(there.next, 0.5) <= 0.07)
            #expect(Self.quantile(there.first, 0.5) <= 0.15)
            #expect(Self.quantile(elsewhere.next, 0.5) <= 0.05, "nobody else is mistaken because of it")
            let paces = town.scheduler.latency.paces
            let ratio = paces[0].bias.factor / paces[1].bias.factor
            #expect(abs(ratio / slowness - 1) < 0.1, "\(ratio)")
        }
    }

    @Test func `cancelled requests leave no trace in the predictions`() throws {
        var town = try Self.town(Self.cases[0], seed: 5)
        town.cancelEvery = 4
        town.run(900, perSecond: 40, make: EngineTown.chat)
        town.runAgenda(to: town.now + .seconds(60))
        let errors = Self.errors(town.visits[500...])
        #expect(Self.quantile(errors.next, 0.5) <= 0.05)
        #expect(Self.quantile(errors.first, 0.5) <= 0.10)
        #expect(town.visits.contains { $0.isCancelled && $0.firstAt == nil })
        #expect(town.visits.contains { $0.isCancelled && $0.firstAt != nil })
        // All are gone: nothing waits and nothing decodes.
        let idle = town.scheduler.latency.paces.map { $0.load }
        #expect(idle == Array(repeating: EndpointPace.Load(), count: 4), "\(idle)")
    }

    @Test func `the same seed brings the same predictions`() throws {
        func course() throws -> [LatencyForecast?] {
            var town = try Self.town(Self.cases[0], seed: 11)
            town.run(120, perSecond: 40, make: EngineTown.chat)
            return town.visits.map(\.forecast)
        }
        #expect(try course() == course())
    }

    @Test func `answers of a tenant are expected to be as long as its last ones`() {
        var pool = PoolSettings()
        pool.profile = .predicted
        var desk = Desk(endpoints: 1, pool: pool)
        for tenant in [1, 2] {
            for _ in 0..<8 {
                var arrival = desk.makeArrival()
                arrival.tenant = TenantID(tenant)
                _ = desk.send(.arrived(arrival))
                let completion = Completion(outcome: .completed, status: 200, outputTokens: tenant * 300)
                _ = desk.send(.finished(arrival.work, completion))
            }
        }
        var arrival = desk.makeArrival()
        arrival.tenant = TenantID(2)
        _ = desk.send(.arrived(arrival))
        let output = desk.scheduler.decision(for: arrival.work)?.candidates.first?.terms
            .first { $0.scorer == "predicted-output" }?.value
        let gap = desk.scheduler.forecast(of: arrival.work)?.interToken ?? 0
        #expect(abs((output ?? 0) + 600 * gap / 1000) < 1e-3)
        var limited = desk.makeArrival()
        limited.tenant = TenantID(2)
        limited.outputTokenLimit = 10
        _ = desk.send(.arrived(limited))
        let short = desk.scheduler.decision(for: limited.work)?.candidates.first?.terms
            .first { $0.scorer == "predicted-output" }?.value
        #expect((short ?? -9) > -0.5, "its own limit is less")
    }

    @Test func `tokens of several answers are not taken for steps`() throws {
        var scheduler = Scheduler(pools: [PoolSettings()])
        var effects: [Effect] = []
        var now = Instant.zero + .seconds(1)
        let work = WorkID(home: 0, serial: 1)
        scheduler.handle(
            .endpointAdded(
                EndpointDescription(
                    id: EndpointID(0), pool: PoolID(0), maximumSequences: 64, batchTokens: 2048, kvTokens: 400_000,
                    models: [ModelID(0)])), now: now, effects: &effects)
        scheduler.handle(
            .arrived(
                Arrival(
                    work: work, pool: PoolID(0), model: ModelID(0), band: .realtime, promptTokens: 500,
                    expectedOutputTokens: 256, sequences: 4, timeToLive: .seconds(60))), now: now, effects: &effects)
        now = now + .milliseconds(50)
        scheduler.handle(.started(work), now: now, effects: &effects)
        let beforeStep = scheduler.nextStep(on: EndpointID(0), at: now)
        let before = try #require(beforeStep).milliseconds
        for _ in 0..<200 {
            now = now + .nanoseconds(Int64(before * 2e6))
            let progress = Progress(work: work, outputTokens: 8, lastOutputAt: now)
            scheduler.handle(.progressed([progress]), now: now, effects: &effects)
        }
        let afterStep = scheduler.nextStep(on: EndpointID(0), at: now)
        let after = try #require(afterStep).milliseconds
        #expect((0.8...1.5).contains(after / before), "\(before) and then \(after)")
    }

    @Test func `a refusal proves no prefill of what was sent before it`() throws {
        var scheduler = Scheduler(pools: [PoolSettings()])
        var effects: [Effect] = []
        let now = Instant.zero + .seconds(1)
        scheduler.handle(
            .endpointAdded(EndpointDescription(id: EndpointID(0), pool: PoolID(0), models: [ModelID(0)])), now: now,
            effects: &effects)
        for serial in UInt64(1)...2 {
            scheduler.handle(
                .arrived(
                    Arrival(
                        work: WorkID(home: 0, serial: serial), pool: PoolID(0), model: ModelID(0), band: .realtime,
                        promptTokens: 500, expectedOutputTokens: 256, timeToLive: .seconds(60))), now: now,
                effects: &effects)
        }
        scheduler.handle(
            .finished(WorkID(home: 0, serial: 2), Completion(outcome: .completed, status: 400)), now: now,
            effects: &effects)
        #expect(scheduler.snapshot(at: now).endpoints.map(\.pendingPromptTokens) == [500])
    }
}
