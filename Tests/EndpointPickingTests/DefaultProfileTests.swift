import EndpointPicking
import FleetTracking
import Testing

@Suite struct DefaultProfileTests {
    /// Sends prompts, each ending after a while, and counts where they went.
    static func loads(
        _ bench: inout PickBench, prompts: Int, concurrency: Int, chain: (Int, inout SeededGenerator) -> [PrefixBlock]
    ) -> [Int] {
        var generator = SeededGenerator(seed: 99)
        var counts: [Int: Int] = [:]
        var running: [PickBench.Sent] = []
        for index in 0..<prompts {
            bench.now = bench.now + .milliseconds(5)
            if running.count >= concurrency { bench.finish(running.remove(at: generator.below(running.count))) }
            guard let sent = bench.send(chain(index, &generator)) else { continue }
            counts[sent.endpoint.index, default: 0] += 1
            running.append(sent)
        }
        return bench.fleet.members(of: PoolID(0)).map { counts[$0, default: 0] }
    }

    static func maximumOverMean(_ loads: [Int]) -> Double {
        Double(loads.max() ?? 0) * Double(loads.count) / Double(max(1, loads.reduce(0, +)))
    }

    @Test(arguments: [4, 8], [1, 4, 40, 400])
    func `a prefix that every request shares does not trap the default profile`(_ endpoints: Int, _ concurrency: Int) {
        // One block (a system prompt of 512 tokens here) opens every request; the rest is unique.
        var bench = PickBench(endpoints: endpoints)
        let loads = Self.loads(&bench, prompts: 4000, concurrency: concurrency) { index, _ in
            PickBench.chain([0, 0, 0, 0, 0, 0, 1_000_000 + index, index])
        }
        #expect(Self.maximumOverMean(loads) <= 1.15, "\(loads)")
    }

    @Test func `requests that are nothing but the shared prefix spread too`() {
        var bench = PickBench(endpoints: 8)
        let loads = Self.loads(&bench, prompts: 4000, concurrency: 40) { _, _ in PickBench.chain([0, 0, 0, 0, 0, 0]) }
        #expect(Self.maximumOverMean(loads) <= 1.15, "\(loads)")
    }

    @Test func `sessions of several turns stay on their endpoint and load stays even`() {
        var bench = PickBench(endpoints: 8)
        var turns = Array(repeating: [0, 0, 0], count: 64)
        var homes: [Int: EndpointID] = [:]
        var reused = 0
        var reusable = 0
        var counts = Array(repeating: 0, count: 8)
        var running: [PickBench.Sent] = []
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<6000 {
            bench.now = bench.now + .milliseconds(20)
            if running.count >= 48 { bench.finish(running.remove(at: generator.below(running.count))) }
            let session = generator.below(turns.count)
            // Each turn adds four blocks; after ten turns a new session begins.
            if turns[session].count > 40 {
                turns[session] = [0, 0, 0, generator.below(1 << 30)]
                homes[session] = nil
            }
            for _ in 0..<4 { turns[session].append(session << 20 | turns[session].count) }
            let chain = PickBench.chain(turns[session])
            guard let sent = bench.send(chain) else { continue }
            counts[sent.endpoint.index] += 1
            running.append(sent)
            if homes[session] != nil {
                reusable += chain[chain.count - 5].endByte / 4
                reused += bench.context.decisions.decision(for: bench.lastWork)?.matchedTokens ?? 0
            }
            homes[session] = sent.endpoint
        }
        #expect(Double(reused) > 0.8 * Double(reusable), "\(reused) of \(reusable) tokens")
        #expect(Self.maximumOverMean(counts) <= 1.25, "\(counts)")
    }

    @Test func `an endpoint whose memory is nearly full is avoided`() {
        var bench = PickBench(endpoints: 2)
        for index in 0..<2 {
            var sample = EngineSample(takenAt: bench.now)
            sample.running = 0
            sample.waiting = 0
            sample.kvUse = index == 0 ? 0.99 : 0.5
            _ = bench.fleet.observe(sample, of: EndpointID(index), at: bench.now)
        }
        for _ in 0..<3 { #expect(bench.send(prompt: 1)?.endpoint == EndpointID(1)) }
    }

    @Test func `a session leaves its endpoint when the queue there costs more than the prefill it saves`() {
        var bench = PickBench(endpoints: 2)
        let session = PickBench.chain([1, 2, 3, 4, 5, 6, 7, 8])
        guard let home = bench.sendAndFinish(session) else {
            Issue.record("not placed")
            return
        }
        #expect(bench.pick(session) == .chosen(home, matchedTokens: (session.last?.endByte ?? 0) / 4))
        for _ in 0..<20 {
            let demand = WorkDemand(band: .realtime, sequences: 1, promptTokens: 2000, expectedOutputTokens: 100)
            _ = bench.fleet.dispatch(demand, uncachedTokens: 2000, to: home, at: bench.now)
        }
        #expect(bench.pick(session) == .chosen(EndpointID(1 - home.index), matchedTokens: 0))
    }
}
