import Simulation
import Testing

@Suite struct JitterTests {
    /// So many requests a millisecond, each told from the others by its prompt.
    static func quantised(_ counts: [Int]) -> Trace {
        var requests: [TraceRequest] = []
        for (millisecond, count) in counts.enumerated() {
            for _ in 0..<count {
                requests.append(
                    TraceRequest(
                        arrival: Int64(millisecond) * 1_000_000, promptTokens: requests.count + 1, outputTokens: 1))
            }
        }
        return Trace(requests)
    }

    @Test func `arrivals are spread over their quantum in their order`() {
        let trace = Self.quantised((0..<300).map { $0 % 4 })
        let spread = trace.spread(over: 1_000_000, seed: 3)
        #expect(spread.requests.map(\.promptTokens) == trace.requests.map(\.promptTokens))
        // The first one's own shift is taken off again, so all may have moved by up to a quantum either way.
        let shifts = zip(spread.requests, trace.requests).map { $0.arrival - $1.arrival }
        #expect(shifts.allSatisfy { abs($0) < 1_000_000 })
        #expect((shifts.max() ?? 0) - (shifts.min() ?? 0) < 1_000_000)
        #expect((shifts.max() ?? 0) - (shifts.min() ?? 0) > 900_000, "the whole quantum is used")
        #expect(Set(spread.requests.map(\.arrival)).count == trace.requests.count, "no two come at once")
    }

    @Test func `the seed decides, and no quantum changes nothing`() {
        let trace = Self.quantised([3, 3, 3])
        #expect(trace.spread(over: 1_000_000, seed: 3) == trace.spread(over: 1_000_000, seed: 3))
        #expect(trace.spread(over: 1_000_000, seed: 3) != trace.spread(over: 1_000_000, seed: 4))
        #expect(trace.spread(over: 0, seed: 3) == trace)
    }
}
