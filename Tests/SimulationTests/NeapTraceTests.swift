import EngineModel
import FleetTracking
import Testing

@testable import Simulation

@Suite struct NeapTraceTests {
    static func row(
        _ arrival: String = "1", band: String = "realtime", tokens: Int = 1000, blocks: String = "[]"
    ) -> String {
        """
        {"arrival_ms":\(arrival),"model":"m","band":"\(band)","prompt_tokens":\(tokens),"output_tokens":2,"ttft_ms":3.5,\
        "blocks":\(blocks)}

        """
    }

    /// A chain that ends at the first `count` boundaries; links from `parting` on are its own.
    static func links(_ count: Int, parting: Int, own: Int) -> String {
        let pairs = PrefixHasher.boundaries.prefix(count).enumerated().map { index, end in
            "[\"\(String(index < parting ? index + 1 : 1000 * own + index, radix: 16))\",\(end)]"
        }
        return "[" + pairs.joined(separator: ",") + "]"
    }

    static func parse(_ text: String, model: String? = nil) throws -> Trace {
        let bytes = Array(text.utf8)
        return try TraceFormat(of: bytes).parse(bytes, file: "trace.log", model: model)
    }

    @Test func `rows come in the order of ends and are replayed in the order of arrivals`() throws {
        let trace = try Self.parse(Self.row("20.25") + Self.row("4") + Self.row("9.5", band: "async"))
        #expect(trace.requests.map(\.arrival) == [0, 16_250_000])
        #expect(trace.jobs.map(\.arrival) == [5_500_000])
        #expect(trace.slice(from: 0, to: 1_000_000).jobs.isEmpty)
        #expect(trace.slice(from: 0, to: 6_000_000).jobs.count == 1)
    }

    @Test(arguments: [
        (
            row().replacing("\"arrival_ms\":1", with: "\"arrival_ms\":-1"),
            "arrival_ms must be a number from 0 to 1099511627776"
        ),
        (row().replacing("\"m\"", with: "7"), "model must be a string"),
        (row(band: "flex"), "band must be realtime or async"),
        (row(tokens: -4), "prompt_tokens must be a whole number from 0 to 1073741824"),
        (
            row().replacing("\"output_tokens\":2", with: "\"output_tokens\":\"2\""),
            "output_tokens must be a whole number from 0 to 1073741824"
        ),
        (row().replacing("3.5", with: "true"), "ttft_ms must be a number from 0 to 1099511627776"),
        (row(blocks: "[[\"a\",256],[\"b\",256]]"), "blocks must end after one another, found 256"),
        (row(blocks: "[[\"xyz\",256]]"), "blocks must be an array of at most 128 pairs [hexadecimal hash, end byte]"),
        (row(blocks: "[[\"-1\",256]]"), "blocks must be an array of at most 128 pairs [hexadecimal hash, end byte]"),
        (row(blocks: "[[\"a\"]]"), "blocks must be an array of at most 128 pairs [hexadecimal hash, end byte]"),
        (row().dropLast(3) + "\n", "is not JSON"),
    ])
    func `a malformed row names file, line and field`(_ row: String, _ message: String) {
        #expect(throws: TraceFault(file: "trace.log", line: 2, message: message)) { try Self.parse(Self.row() + row) }
    }

    @Test func `formats are told apart by the first line`() {
        let mooncake = "{\"timestamp\": 0, \"input_length\": 9, \"output_length\": 1, \"hash_ids\": [0]}\n"
        #expect(TraceFormat(of: Array(mooncake.utf8)) == .mooncake)
        #expect(TraceFormat(of: Array(Self.row().utf8)) == .neap)
        #expect(TraceFormat(of: Array((AzureTrace.header + "\r\n").utf8)) == .azure)
        #expect(throws: TraceFault(file: "trace.log", line: 0, message: "is of format mooncake, which names no models"))
        {
            try Self.parse(mooncake, model: "m")
        }
        #expect(throws: TraceFault(file: "trace.log", line: 0, message: "no real-time request in it")) {
            try Self.parse(Self.row(band: "async"))
        }
    }

    @Test func `engines share exactly what the chains share`() throws {
        let parting = 12
        let trace = try Self.parse(
            Self.row("1", tokens: 2000, blocks: Self.links(20, parting: parting, own: 1))
                + Self.row("2", tokens: 2000, blocks: Self.links(20, parting: parting, own: 2))
                + Self.row("3", tokens: 2000, blocks: Self.links(parting, parting: parting, own: 3)))
        let ratio = trace.bytesPerToken
        #expect(ratio > 3)
        let shared = Int(Double(PrefixHasher.boundaries[parting - 1]) / ratio / 16)
        let blocks = trace.requests.map { trace.engineBlocks(of: $0, blockSize: 16) }
        #expect(zip(blocks[0], blocks[1]).map { $0 == $1 } == (0..<blocks[0].count).map { $0 < shared })
        #expect(blocks[2] == Array(blocks[0].prefix(shared)))
        #expect(blocks.allSatisfy { Set($0).count == $0.count })
        #expect(trace.chain(of: trace.requests[0], own: 5) == trace.requests[0].chain)
    }

    @Test func `prompts with other tokens to the byte keep a shared prefix in one place`() throws {
        // One prompt's text has few tokens, the other's many: what they share is the same text all the same.
        let trace = try Self.parse(
            Self.row("1", tokens: 1500, blocks: Self.links(20, parting: 12, own: 1))
                + Self.row("2", tokens: 3000, blocks: Self.links(20, parting: 12, own: 2)))
        let blocks = trace.requests.map { trace.engineBlocks(of: $0, blockSize: 16) }
        let shared = zip(blocks[0], blocks[1]).prefix { $0 == $1 }.count
        #expect(shared == Int(Double(PrefixHasher.boundaries[11]) / trace.bytesPerToken / 16))
        #expect(blocks[0].count <= 1500 / 16, "no more than the prompt has")
    }

    @Test func `a shared prefix of a log is computed once, and jobs run beside`() throws {
        var log = ""
        for number in 0..<6 {
            log += Self.row("\(number * 3000)", tokens: 1600, blocks: Self.links(20, parting: 12, own: number + 1))
        }
        log += Self.row("40", band: "async", tokens: 300, blocks: Self.links(3, parting: 3, own: 9))
        let trace = try Self.parse(log)
        var settings = SimulationTests.settings(1)
        settings.jobs = trace.jobs
        let result = SimulationTests.run(trace, settings)
        #expect(result.violations == [])
        #expect(result.completed == 6)
        #expect(result.jobsCompleted == 1)
        let shared = Int(Double(PrefixHasher.boundaries[11]) / trace.bytesPerToken / 16) * 16
        #expect(result.cachedTokens >= 5 * shared, "\(result.cachedTokens) of 5 × \(shared)")
    }
}
