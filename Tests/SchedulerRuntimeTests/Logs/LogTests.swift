import FleetTracking
import FlowControl
import Foundation
import Logging
import Testing
import WireFormats

@testable import SchedulerRuntime

@Suite struct LogTests {
    private let folder = FileManager.default.temporaryDirectory.appending(
        path: "neap-log-\(UInt64.random(in: .min ... .max))")
    /// 2026-11-23T10:00:00Z
    private let start: Int64 = 1_795_428_000_000_000_000

    private func withLog(
        limitBytes: Int = 1 << 20, _ body: (LineLog, WallClock, String) throws -> Void
    ) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "access.log").path()
        var settings = LineLogSettings(target: .file(path))
        settings.limitBytes = limitBytes
        let start = start
        let wall = WallClock(monotonic: ManualClock().clock, readWall: { start })
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        try body(try LineLog(settings: settings, shards: 2, wallClock: wall, logger: logger), wall, path)
    }

    private func record(_ id: String) -> RequestRecord {
        var record = RequestRecord(
            work: nil, requestID: id, band: .realtime, method: "POST", path: "/v1/chat/completions",
            outcome: .completed, arrivedAt: Instant(nanoseconds: 0), endedAt: Instant(nanoseconds: 1_234_567_890))
        record.pool = PoolID(0)
        record.endpoint = EndpointID(0)
        record.model = "llama"
        record.tenant = "research"
        record.status = 200
        record.attempts = 1
        record.forwardedAt = Instant(nanoseconds: 1_500_000)
        record.firstByteAt = Instant(nanoseconds: 20_000_000)
        record.promptTokens = 12
        record.outputTokens = 34
        record.bytesIn = 100
        record.bytesOut = 2000
        return record
    }

    private func directory() -> DirectoryHolder {
        let endpoint = EndpointEntry(id: EndpointID(0), pool: PoolID(0), url: "http://e:1", host: "e", port: 1)
        return DirectoryHolder(
            Directory(pools: [PoolEntry(id: PoolID(0), name: "main", allowedPaths: [])], endpoints: [endpoint]))
    }

    @Test func oneRequestIsOneLine() throws {
        try withLog { lines, wall, path in
            AccessLog(lines: lines, directory: directory(), wallClock: wall).record(record("id-1"), loop: 0)
            lines.flush()
            let expected =
                #"{"time":"2026-11-23T10:00:01.234Z","request_id":"id-1","tenant":"research","band":"realtime","#
                + #""pool":"main","method":"POST","path":"/v1/chat/completions","model":"llama","status":200,"#
                + #""outcome":"completed","endpoint":"http://e:1","queue_ms":1.500,"ttft_ms":20.000,"#
                + #""duration_ms":1234.567,"prompt_tokens":12,"output_tokens":34,"attempts":1,"bytes_in":100,"#
                + #""bytes_out":2000,"streamed":false}"# + "\n"
            let written = try String(contentsOfFile: path, encoding: .utf8)
            #expect(written == expected)
        }
    }

    @Test func aRefusalTellsItsReason() throws {
        try withLog { lines, wall, path in
            var record = record("id-1")
            record.outcome = .requestRefused
            record.refusal = "missing_model"
            AccessLog(lines: lines, directory: directory(), wallClock: wall).record(record, loop: 0)
            lines.flush()
            let written = try String(contentsOfFile: path, encoding: .utf8)
            #expect(written.contains(#""outcome":"request_refused","reason":"missing_model","endpoint""#))
        }
    }

    @Test(arguments: ["a\"b\\c", "line\nbreak\u{0}\u{1b}[31m", "é😀\u{7f}", String(repeating: "😀", count: 300)])
    func whateverClientsWriteStaysOneJSONLine(text: String) throws {
        try withLog { lines, wall, path in
            var record = record(text)
            record.model = text
            AccessLog(lines: lines, directory: directory(), wallClock: wall).record(record, loop: 0)
            lines.flush()
            let written = try String(contentsOfFile: path, encoding: .utf8)
            #expect(written.filter { $0 == "\n" }.count == 1)
            let object = try JSONSerialization.jsonObject(with: Data(written.utf8)) as? [String: Any]
            let model = try #require(object?["model"] as? String)
            #expect(text.hasPrefix(model))
            #expect(model.utf8.count <= 512)
        }
    }

    @Test func linesOverTheLimitAreDroppedAndCounted() throws {
        try withLog(limitBytes: 1000) { lines, wall, path in
            let log = AccessLog(lines: lines, directory: directory(), wallClock: wall)
            for number in 0..<20 { log.record(record("r\(number)"), loop: 0) }
            lines.flush()
            let written = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").count
            #expect(written > 0)
            #expect(lines.droppedLines == UInt64(20 - written))
        }
    }

    @Test func aMovedFileIsOpenedAnew() throws {
        try withLog { lines, wall, path in
            let log = AccessLog(lines: lines, directory: directory(), wallClock: wall)
            log.record(record("before"), loop: 0)
            lines.flush()
            try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
            lines.reopen()
            log.record(record("after"), loop: 1)
            lines.flush()
            let (fresh, moved) = try (
                String(contentsOfFile: path, encoding: .utf8), String(contentsOfFile: path + ".1", encoding: .utf8)
            )
            #expect(fresh.contains("after"))
            #expect(moved.contains("before"))
        }
    }

    @Test func aFileThatCannotBeOpenedIsAFault() {
        let settings = LineLogSettings(target: .file("/nonexistent/folder/log"))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        #expect(throws: LogFile.Failure.self) {
            try LineLog(settings: settings, shards: 1, wallClock: WallClock(), logger: logger)
        }
    }

    @Test func theTraceHoldsSaltedHashesAndNoText() throws {
        try withLog { lines, _, path in
            var record = record("id")
            record.prefix = [PrefixBlock(hash: 7, endByte: 256), PrefixBlock(hash: 8, endByte: 512)]
            TraceLog(lines: lines, start: .zero, salt: 1).record(record, loop: 0)
            TraceLog(lines: lines, start: .zero, salt: 2).record(record, loop: 0)
            lines.flush()
            let rows = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
                try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
            }
            let blocks = rows.map { $0?["blocks"] as? [[Any]] }
            #expect(blocks[0]?.count == 2)
            #expect(blocks[0]?[1][1] as? Int == 512)
            #expect(blocks[0]?[0][0] as? String != blocks[1]?[0][0] as? String)
            #expect(rows[0]?["prompt_tokens"] as? Int == 12)
        }
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (951_782_399_999_000_000, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"), (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000Z"),
        (-1_000_000, "1969-12-31T23:59:59.999Z"),
    ])
    func timestampsAreRFC3339(nanoseconds: Int64, expected: String) {
        var text = TimestampText()
        var line = ByteText()
        text.append(nanoseconds: nanoseconds, to: &line)
        #expect(line.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } == expected)
    }
}
