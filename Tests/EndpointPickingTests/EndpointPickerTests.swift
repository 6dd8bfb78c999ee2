import EndpointPicking
import FleetTracking
import Testing

@Suite struct EndpointPickerTests {
    static func profile(_ picker: Picker) -> PickProfile {
        PickProfile(scorers: [WeightedScorer(LeastRequestsScorer(), weight: 1)], picker: picker)
    }

    static func endpoint(_ result: PickResult) -> Int? {
        if case .chosen(let endpoint, _) = result { endpoint.index } else { nil }
    }

    @Test func `best draws fairly among equals`() {
        var bench = PickBench(endpoints: 4, profile: Self.profile(.best))
        var counts = Array(repeating: 0, count: 4)
        for _ in 0..<2000 { if let chosen = Self.endpoint(bench.pick()) { counts[chosen] += 1 } }
        #expect(counts.allSatisfy { (400...600).contains($0) }, "\(counts)")
        #expect(bench.context.decisions.decision(for: bench.lastWork)?.reason == .drawnAmongEqual)
    }

    @Test func `round robin takes turns and skips what is filtered`() {
        var bench = PickBench(endpoints: 4, profile: Self.profile(.roundRobin))
        #expect((0..<5).map { _ in Self.endpoint(bench.pick()) } == [0, 1, 2, 3, 0])
        _ = bench.fleet.setDraining(true, of: EndpointID(2))
        #expect((0..<5).map { _ in Self.endpoint(bench.pick()) } == [1, 3, 0, 1, 3])
    }

    @Test func `the better of two is never the worst`() {
        var bench = PickBench(endpoints: 3, profile: Self.profile(.powerOfTwo))
        let demand = WorkDemand(band: .realtime, sequences: 9, promptTokens: 1, expectedOutputTokens: 1)
        _ = bench.fleet.dispatch(demand, uncachedTokens: 0, to: EndpointID(1), at: bench.now)
        var seen: Set<Int?> = []
        for _ in 0..<100 { seen.insert(Self.endpoint(bench.pick())) }
        #expect(seen == [0, 2])
    }

    @Test func `random reaches every endpoint whatever its load`() {
        var bench = PickBench(endpoints: 3, profile: Self.profile(.random))
        var seen: Set<Int?> = []
        for _ in 0..<200 { seen.insert(Self.endpoint(bench.pick())) }
        #expect(seen == [0, 1, 2])
    }

    @Test func `no room and no endpoint are told apart`() {
        var bench = PickBench(endpoints: 2, sequences: 1)
        _ = bench.send()
        _ = bench.send()
        #expect(bench.pick() == .noRoom)
        _ = bench.fleet.setModels([ModelID(5)], of: EndpointID(0))
        _ = bench.fleet.setDraining(true, of: EndpointID(1))
        #expect(bench.pick() == .noEndpoint)
        var tried = TriedEndpoints()
        tried.insert(EndpointID(1))
        _ = bench.fleet.setDraining(false, of: EndpointID(1))
        #expect(bench.pick(tried: tried) == .noRoom)
    }

    @Test func `a decision says who was considered and why`() {
        var bench = PickBench(endpoints: 40)
        _ = bench.fleet.setDraining(true, of: EndpointID(3))
        let session = PickBench.chain([1, 2, 3, 4, 5, 6])
        let home = bench.sendAndFinish(session)
        #expect(bench.send(session)?.endpoint == home)
        guard let decision = bench.context.decisions.decision(for: bench.lastWork) else {
            Issue.record("no decision")
            return
        }
        #expect(decision.chosen == home)
        #expect(decision.reason == .bestScore)
        #expect(decision.considered == 40)
        #expect(decision.passed == 39)
        #expect(decision.candidates.count == 16)
        #expect(decision.candidates.first?.endpoint == home)
        #expect(decision.matchedTokens == (session.last?.endByte ?? 0) / 4)
        for candidate in decision.candidates {
            #expect(candidate.terms.map(\.scorer) == ["queue", "kv", "prefix"])
            let sum = candidate.terms.reduce(0) { $0 + $1.value * $1.weight }
            #expect(abs(sum - candidate.total) < 1e-4)
        }
    }

    @Test func `old decisions are forgotten, newer ones kept`() {
        var bench = PickBench(endpoints: 2)
        _ = bench.pick()
        let first = bench.lastWork
        #expect(bench.context.decisions.decision(for: first) != nil)
        for _ in 0..<63 { _ = bench.pick() }
        #expect(bench.context.decisions.decision(for: first) != nil)
        _ = bench.pick()
        #expect(bench.context.decisions.decision(for: first) == nil)
        #expect(bench.context.decisions.decision(for: bench.lastWork) != nil)
    }

    @Test func `a large pool is asked by shortlist and sessions still find their endpoint`() {
        var bench = PickBench(endpoints: 1000)
        var homes: [EndpointID?] = []
        for session in 0..<50 { homes.append(bench.sendAndFinish(PickBench.chain([session, 1, 2, 3]))) }
        for session in 0..<50 {
            #expect(bench.sendAndFinish(PickBench.chain([session, 1, 2, 3, 4])) == homes[session])
        }
        #expect(
            (bench.context.decisions.decision(for: bench.lastWork)?.considered ?? 0) <= EndpointPicker.shortlistLength)
        var seen: Set<Int> = []
        for _ in 0..<3000 { if let sent = bench.send() { seen.insert(sent.endpoint.index) } }
        #expect(seen.count > 900, "every part of the pool is reached")
    }

    @Test func `a large pool never picks an endpoint that left it, though it still runs something`() {
        var bench = PickBench(endpoints: 300)
        let session = PickBench.chain(Array(1...20))
        guard let home = bench.send(session)?.endpoint else {
            Issue.record("not placed")
            return
        }
        bench.now = bench.now + .seconds(10)
        #expect(Self.endpoint(bench.pick(session)) == home.index)
        _ = bench.fleet.remove(home)
        for _ in 0..<20 {
            guard case .chosen(let endpoint, _) = bench.pick(session) else {
                Issue.record("not placed")
                return
            }
            #expect(endpoint != home)
        }
    }

    @Test func `in a large pool an endpoint is found that alone serves a model or alone has room`() {
        var bench = PickBench(endpoints: 300, sequences: 1)
        _ = bench.fleet.setModels([ModelID(0), ModelID(5)], of: EndpointID(123))
        let seen = (0..<20).map { _ in Self.endpoint(bench.pick(model: ModelID(5))) }
        #expect(seen.allSatisfy { $0 == 123 })
        for _ in 0..<299 { _ = bench.send() }
        let free = (0..<300).filter { bench.fleet[EndpointID($0)]?.works == 0 }
        #expect(free.count == 1)
        #expect(Self.endpoint(bench.pick()) == free.first)
        _ = bench.send()
        #expect(bench.pick() == .noRoom)
    }

    @Test func `every filter and scorer is found by its own name, once`() {
        #expect(Set(Catalogue.scorers.map(\.name)).count == Catalogue.scorers.count)
        #expect(Set(Catalogue.filters.map(\.name)).count == Catalogue.filters.count)
        for scorer in Catalogue.scorers { #expect(Catalogue.scorer(named: scorer.name)?.name == scorer.name) }
        for filter in Catalogue.filters { #expect(Catalogue.filter(named: filter.name)?.name == filter.name) }
        #expect(Catalogue.scorer(named: "nothing") == nil)
    }

    @Test func `every scorer gives finite values`() {
        var candidates = (0..<4).map { Candidate(endpoint: EndpointID($0)) }
        candidates[1].sequences = 300
        candidates[1].kvUse = 1
        candidates[2].pendingPromptTokens = 1 << 30
        candidates[2].waiting = 1000
        candidates[3].matchedTokens = 5000
        candidates[3].maximumSequences = 0
        let request = PickRequest(model: ModelID(0), band: .realtime, promptTokens: 0, expectedOutputTokens: 0)
        for scorer in Catalogue.scorers {
            var values = Array(repeating: 0.0, count: 4)
            scorer.score(candidates, request: request, values: &values)
            #expect(values.allSatisfy { $0.isFinite }, "\(scorer.name)")
        }
    }

    @Test func `the relative queue scorer follows its formula`() {
        var candidates = (0..<3).map { Candidate(endpoint: EndpointID($0)) }
        for (index, waiting) in [2, 4, 6].enumerated() { candidates[index].waiting = waiting }
        let request = PickRequest(model: ModelID(0), band: .realtime, promptTokens: 0, expectedOutputTokens: 0)
        var values = [0.0, 0, 0]
        RelativeQueueScorer().score(candidates, request: request, values: &values)
        #expect(values == [1, 0.5, 0])
    }
}
