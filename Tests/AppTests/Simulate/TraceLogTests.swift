import ArgumentParser
import FleetTracking
import FlowControl
import Foundation
import Logging
import Simulation
import Testing

@testable import App
@testable import SchedulerRuntime

/// What the gateway's trace log writes, `neap simulate` reads.
@Suite struct TraceLogTests {
    private static func record(
        _ band: Band, arrivedAt: Duration, tokens: (prompt: Int?, output: Int), _ prefix: [PrefixBlock]
    ) -> RequestRecord {
        var record = RequestRecord(
            work: nil, requestID: "r", band: band, method: "POST", path: "/v1/chat/completions", outcome: .completed,
            arrivedAt: .zero + arrivedAt, endedAt: .zero + arrivedAt + .seconds(1))
        record.pool = PoolID(0)
        record.model = "a \"quoted\" model"
        record.firstByteAt = .zero + arrivedAt + .milliseconds(120)
        (record.promptTokens, record.outputTokens) = (tokens.prompt, tokens.output)
        record.prefix = prefix
        return record
    }

    /// The chain of this text, as the gateway hashes it.
    private static func chain(_ text: String) -> [PrefixBlock] {
        var hasher = PrefixHasher(key: PrefixKey(high: 1, low: 2), model: ModelID(0))
        var text = text
        text.withUTF8 { hasher.absorb(UnsafeRawBufferPointer($0)) }
        return hasher.finish()
    }

    @Test func `a log that the gateway wrote is read back`() throws {
        let path = FileManager.default.temporaryDirectory.appending(
            path: "neap-trace-\(UInt64.random(in: .min ... .max))"
        ).path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let lines = try LineLog(
            settings: LineLogSettings(target: .file(path)), shards: 1, wallClock: WallClock(),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let log = TraceLog(lines: lines, start: .zero + .seconds(5))
        let shared = String(repeating: "The same opening. ", count: 200)
        let (first, second) = (Self.chain(shared + String(repeating: "one", count: 900)), Self.chain(shared + "two"))
        log.record(Self.record(.realtime, arrivedAt: .milliseconds(8500), tokens: (1600, 40), first), loop: 0)
        log.record(Self.record(.async, arrivedAt: .milliseconds(9000), tokens: (900, 10), second), loop: 0)
        log.record(Self.record(.realtime, arrivedAt: .microseconds(6_250_125), tokens: (0, 0), []), loop: 0)
        log.record(Self.record(.realtime, arrivedAt: .seconds(7), tokens: (nil, 3), first), loop: 0)
        lines.flush()

        let bytes = try TraceFile.read(path)
        #expect(TraceFormat(of: bytes) == .neap)
        let trace = try TraceFormat(of: bytes).parse(bytes, file: path)
        #expect(trace.requests.map(\.arrival) == [0, 2_249_875_000], "the log is in the order of ends")
        #expect(trace.requests.map(\.promptTokens) == [1, 1600])
        #expect(trace.requests.map(\.outputTokens) == [0, 40])
        #expect(trace.jobs.map(\.arrival) == [2_749_875_000])
        #expect(trace.requests[1].chain.map(\.endByte) == first.map(\.endByte))
        let common = zip(first, second).prefix { $0 == $1 }.count
        #expect(common > 0 && common < first.count)
        #expect(zip(trace.requests[1].chain, trace.jobs[0].chain).prefix { $0 == $1 }.count == common)
        #expect((3.5...4.5).contains(trace.bytesPerToken), "6300 bytes are 1600 tokens: \(trace.bytesPerToken)")
    }

    @Test func `the command reads it by its first line`() throws {
        let path = FileManager.default.temporaryDirectory.appending(
            path: "neap-trace-\(UInt64.random(in: .min ... .max))"
        ).path()
        defer { try? FileManager.default.removeItem(atPath: path) }
        let rows = ["a", "b"].map {
            #"{"arrival_ms":1.5,"model":"\#($0)","band":"realtime","prompt_tokens":9,"output_tokens":1,"blocks":[]}"#
        }
        try (rows.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        func trace(_ options: String...) throws -> Trace {
            let arguments = ["simulate", "--trace", path] + options
            return try #require(try Neap.parseAsRoot(arguments) as? SimulateCommand).traffic.read(seed: 1)
        }
        #expect(try trace("--model", "b").requests.count == 1)
        #expect(throws: TraceFault(file: path, line: 0, message: "holds several models, name one of them: a, b")) {
            try trace()
        }
        #expect(throws: TraceFault(file: path, line: 0, message: "no row of c; it holds: a, b")) {
            try trace("--model", "c")
        }
        #expect(throws: TraceFault.self) { try trace("--format", "mooncake") }
    }
}
