import EndpointPicking
import FleetTracking
import Testing

@Suite struct PredictedProfileTests {
    static let session = PickBench.chain(Array(1...30))

    static func terms(_ decision: PickDecision?, _ index: Int) -> [String: Double] {
        let scored = decision?.candidates.first { $0.endpoint.index == index }
        return Dictionary(uniqueKeysWithValues: (scored?.terms ?? []).map { ($0.scorer, $0.value) })
    }

    /// Makes the forecasts of the pool's type worthless.
    static func mislead(_ bench: inout PickBench) {
        for _ in 0..<200 {
            let demand = WorkDemand(band: .realtime, sequences: 1, promptTokens: 1, expectedOutputTokens: 1)
            let ticket = bench.fleet.dispatch(demand, uncachedTokens: 1, to: EndpointID(0), at: bench.now)
            let first = FirstToken(ticket: ticket, predicted: 90_000, took: 10)
            bench.fleet.began(first, on: EndpointID(0), at: bench.now)
            bench.fleet.release(
                Departure(demand: demand, producedTokens: 0, ticket: ticket, wasAnswered: true), from: EndpointID(0),
                at: bench.now)
        }
        bench.now = bench.now + .seconds(1)
    }

    @Test func `a session stays where its prefix is until the wait there costs more than it saves`() {
        var bench = PickBench(endpoints: 4, profile: .predicted)
        let home = bench.sendAndFinish(Self.session)
        #expect(bench.send(Self.session)?.endpoint == home)
        let decision = bench.context.decisions.decision(for: bench.lastWork)
        #expect(decision?.reason == .bestScore)
        #expect(decision?.distrustedForecasts == false)
        #expect((decision?.firstTokenMilliseconds ?? 0) > 0)
        let terms = Self.terms(decision, home?.index ?? -1)
        #expect(
            Set(terms.keys) == [
                "predicted-first-token", "predicted-output", "predicted-slowdown", "fallback-queue", "fallback-prefix",
                "kv",
            ])
        #expect((terms["predicted-first-token"] ?? 0) < 0)
        #expect(terms["fallback-queue"] == 0 && terms["fallback-prefix"] == 0)
        // A long prompt before it makes another endpoint the faster one.
        let demand = WorkDemand(band: .realtime, sequences: 1, promptTokens: 8000, expectedOutputTokens: 100)
        _ = bench.fleet.dispatch(demand, uncachedTokens: 8000, to: home ?? EndpointID(0), at: bench.now)
        #expect(bench.send(Self.session)?.endpoint != home)
    }

    @Test func `while forecasts are far off the other scorers decide and the decision says so`() {
        var bench = PickBench(endpoints: 4, profile: .predicted)
        let home = bench.sendAndFinish(Self.session)
        Self.mislead(&bench)
        #expect(bench.send(Self.session)?.endpoint == home)
        let decision = bench.context.decisions.decision(for: bench.lastWork)
        #expect(decision?.distrustedForecasts == true)
        let terms = Self.terms(decision, home?.index ?? -1)
        #expect(terms["predicted-first-token"] == 0 && terms["predicted-output"] == 0)
        #expect((terms["fallback-prefix"] ?? 0) > 0)
        // The load outweighs the prefix as in the standard profile.
        for _ in 0..<100 { _ = bench.send(Self.session) }
        let used = (0..<4).filter { (bench.fleet[EndpointID($0)]?.works ?? 0) > 0 }
        #expect(used.count == 4)
    }

    @Test func `a prefix that every request has draws nobody to the first to hold it`() {
        var bench = PickBench(endpoints: 4, profile: .predicted)
        var counts = Array(repeating: 0, count: 4)
        for number in 0..<400 {
            let prompt = Array(1...20) + [1000 + number, 2000 + number]
            guard let endpoint = bench.sendAndFinish(PickBench.chain(prompt)) else { continue }
            counts[endpoint.index] += 1
        }
        #expect((counts.max() ?? 0) < 140, "\(counts)")
    }

    @Test func `llm-d's chain sticks to the prefix, and leaves it for a penalty`() {
        var bench = PickBench(endpoints: 4, profile: .llmdPredicted)
        let home = bench.sendAndFinish(Self.session) ?? EndpointID(0)
        for _ in 0..<20 { #expect(bench.sendAndFinish(Self.session) == home) }
        let demand = WorkDemand(band: .realtime, sequences: 1, promptTokens: 80_000, expectedOutputTokens: 100)
        _ = bench.fleet.dispatch(demand, uncachedTokens: 80_000, to: home, at: bench.now)
        var elsewhere = 0
        for _ in 0..<40 where PredictedProfileTests.endpoint(bench.pick(Self.session)) != home { elsewhere += 1 }
        #expect(elsewhere > 30)
    }

    static func endpoint(_ result: PickResult) -> EndpointID? {
        if case .chosen(let endpoint, _) = result { endpoint } else { nil }
    }

    @Test func `llm-d's tiers keep what meets the objective and now and then try what does not`() {
        var candidates = (0..<4).map { index in
            var candidate = Candidate(endpoint: EndpointID(index))
            candidate.forecast.firstToken = Double(index) * 100 + 50
            candidate.forecast.interToken = 10
            candidate.sequences = 3
            return candidate
        }
        var request = PickRequest(model: ModelID(0), band: .realtime, promptTokens: 100, expectedOutputTokens: 10)
        request.objective.firstToken = 200
        request.objective.interToken = 20
        let all = candidates
        HeadroomTiers().apply(&candidates, request: request)
        #expect(candidates.count == 4, "no forecasts: nothing is known")
        request.hasForecasts = true
        request.lot = 0.5
        HeadroomTiers().apply(&candidates, request: request)
        #expect(candidates.map(\.endpoint.index) == [0, 1])
        candidates = all
        request.lot = 0.005
        HeadroomTiers().apply(&candidates, request: request)
        #expect(candidates.map(\.endpoint.index) == [2, 3])
        // "Least": what is nearest to its objective scores highest; what misses it scores 0.
        var values = Array(repeating: 0.0, count: 4)
        HeadroomScorer().score(all, request: request, values: &values)
        #expect(values[1] > values[0] && values[0] > 0 && values[2] == 0 && values[3] == 0)
        request.objective = LatencyObjective()
        values = Array(repeating: 0.0, count: 4)
        HeadroomScorer().score(all, request: request, values: &values)
        #expect(values == values.sorted(by: >), "without objectives the fastest is best")
    }

    @Test func `a weighted draw follows the totals`() {
        var profile = PickProfile(
            scorers: [WeightedScorer(PrefixRatioScorer(), weight: 1)], picker: .weightedRandom)
        profile.usesForecasts = true
        var bench = PickBench(endpoints: 3, profile: profile)
        bench.fleet.remember(Self.session, on: EndpointID(1))
        bench.fleet.remember(Array(Self.session[..<15]), on: EndpointID(2))
        let share = Double(Self.session[14].endByte) / Double(Self.session[29].endByte)
        var counts = Array(repeating: 0.0, count: 3)
        for _ in 0..<2000 {
            if let endpoint = PredictedProfileTests.endpoint(bench.pick(Self.session)) { counts[endpoint.index] += 1 }
        }
        #expect(counts[0] == 0)
        #expect(abs(counts[2] / counts[1] - share) < 0.1)
    }
}
