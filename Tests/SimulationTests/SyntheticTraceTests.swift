import EngineModel
import Simulation
import Testing

@Suite struct SyntheticTraceTests {
    static func trace(_ keys: String, seed: UInt64 = 7) throws -> Trace {
        try SyntheticTrace("synthetic:" + keys).generate(seed: seed)
    }

    /// Mean of the gaps in seconds, and their coefficient of variation.
    static func gaps(_ trace: Trace) -> (mean: Double, variation: Double) {
        let arrivals = trace.requests.map { Double($0.arrival) / 1e9 }
        let gaps = zip(arrivals.dropFirst(), arrivals).map { $0 - $1 }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
        return (mean, variance.squareRoot() / mean)
    }

    // Within 5 % of the mean and 10 % of the variation: three standard errors and more with so many gaps.
    @Test(arguments: [0.0, 0.3, 0.7, 1, 1.5, 3])
    func `gaps have the mean and the variation that were asked for`(_ variation: Double) throws {
        let gaps = Self.gaps(try Self.trace("requests=40000,rate=20,cv=\(variation)"))
        #expect(abs(gaps.mean * 20 - 1) < 0.05, "\(gaps)")
        #expect(abs(gaps.variation - variation) <= 0.1 * variation + 1e-6, "\(gaps)")
    }

    @Test(arguments: [1.0, 2]) func `a day has a crest and a trough, and keeps its mean`(_ variation: Double) throws {
        let trace = try Self.trace("requests=200000,rate=100,cv=\(variation),period=200,depth=0.6")
        let days = Int(Double(trace.span) / 200e9)
        var crest = 0
        var trough = 0
        for request in trace.requests where request.arrival < Int64(days) * 200_000_000_000 {
            let part = Double(request.arrival % 200_000_000_000) / 200e9
            if abs(part - 0.5) < 0.05 { crest += 1 }
            if part < 0.05 || part >= 0.95 { trough += 1 }
        }
        // (1 + 0.6) / (1 - 0.6), a little less as each is taken over a tenth of the day.
        let ratio = Double(crest) / Double(trough)
        #expect((3.6...4.2).contains(ratio), "\(ratio) over \(days) days")
        let mean = Double(trace.requests.count) / (Double(trace.span) / 1e9)
        #expect(abs(mean / 100 - 1) < 0.03, "\(mean)")
    }

    @Test func `lengths have the median, and the tail, that were asked for`() throws {
        let keys = "requests=20000,prompt=500,output=100,spread=1.5,longest-prompt=1000000,longest-output=1000000"
        let trace = try Self.trace(keys)
        for (tokens, median) in [(\TraceRequest.promptTokens, 500.0), (\TraceRequest.outputTokens, 100)] {
            let values = trace.requests.map { Double($0[keyPath: tokens]) }
            #expect(abs(SimulationResult.quantile(values, 0.5) / median - 1) < 0.05)
            // Lognormal: the 99th percentile lies 2.326 deviations above the median, a factor of 32.8.
            #expect((26...40).contains(SimulationResult.quantile(values, 0.99) / median))
        }
    }

    @Test func `conversations have so many turns, each with the past of the one before`() throws {
        let trace = try Self.trace("requests=20000,rate=50,turns=4,pause=1,spread=0.3,longest-prompt=100000")
        let openings = Dictionary(grouping: trace.requests.filter { !$0.blocks.isEmpty }) { $0.blocks[0] }
        let mean = Double(trace.requests.count) / Double(openings.count)
        #expect(abs(mean / 4 - 1) < 0.06, "\(mean)")
        for turns in openings.values {
            for (before, after) in zip(turns, turns.dropFirst()) {
                #expect(Array(after.blocks.prefix(before.blocks.count)) == before.blocks)
            }
        }
    }

    @Test func `groups share their opening and nothing else`() throws {
        let trace = try Self.trace("requests=3000,groups=5,opening=256,prompt=500")
        #expect(Set(trace.requests.map { Array($0.blocks.prefix(4)) }).count == 5)
        let fifths = trace.requests.compactMap { $0.blocks.count > 4 ? $0.blocks[4] : nil }
        #expect(fifths.count > 2000 && Set(fifths).count == fifths.count)
    }

    @Test func `the share of clients that leave is the one asked for, and the seed decides`() throws {
        let trace = try Self.trace("requests=10000,cancelled=0.25")
        let share = Double(trace.requests.count { $0.cancelAfter != nil }) / 10_000
        #expect(abs(share - 0.25) < 0.015)
        #expect(try Self.trace("requests=50") == Self.trace("requests=50"))
        #expect(try Self.trace("requests=50") != Self.trace("requests=50", seed: 8))
    }

    @Test(arguments: [
        (
            "speed=1",
            "speed is not known; there are: requests, jobs, rate, cv, period, depth, turns, pause, groups, opening,"
        ),
        ("rate", "expected KEY=VALUE, found rate"),
        ("rate=fast", "rate must be a number from 0.001 to 1000000.0, found fast"),
        ("depth=1.5", "depth must be a number from 0.0 to 1.0, found 1.5"),
        ("rate=nan", "rate must be a number from 0.001 to 1000000.0, found nan"),
        ("requests=0", "requests must be a whole number from 1 to 10000000, found 0"),
        ("turns=2,turns=3", "turns is given twice"),
    ])
    func `a bad key or value is named`(_ keys: String, _ message: String) throws {
        let fault = #expect(throws: TraceFault.self) { try SyntheticTrace("synthetic:" + keys) }
        #expect(fault?.description.hasPrefix("--trace synthetic: " + message) == true, "\(String(describing: fault))")
    }

    @Test func `jobs wait beside the requests, which they do not change`() throws {
        let trace = try Self.trace("requests=50,jobs=30,turns=3")
        #expect(trace.jobs.count == 30)
        #expect(trace.requests == (try Self.trace("requests=50,turns=3")).requests)
    }

    @Test func `the manual names every default`() {
        #expect(SyntheticTrace.manual.contains { $0.name == "rate" && $0.standard == "5.0" })
        #expect(SyntheticTrace.manual.count == 16)
    }

    @Test func `the sine is a sine`() {
        for (turns, value) in [(0.0, 0.0), (1.0 / 12, 0.5), (0.25, 1), (0.5, 0), (0.75, -1), (-0.25, -1), (1000.25, 1)]
        {
            #expect(abs(Series.sine(turns: turns) - value) < 1e-9, "\(turns)")
        }
    }
}
