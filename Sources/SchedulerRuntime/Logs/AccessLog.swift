import FleetTracking
import FlowControl
import WireFormats

/// One JSON line for each request and each job attempt, at its end. Never prompt or answer text.
package struct AccessLog: RecordSink {
    private let lines: LineLog
    private let directory: DirectoryHolder
    private let wallClock: WallClock

    package init(lines: LineLog, directory: DirectoryHolder, wallClock: WallClock) {
        self.lines = lines
        self.directory = directory
        self.wallClock = wallClock
    }

    package func record(_ record: RequestRecord, loop: Int) {
        let directory = directory.current
        let pool = record.pool.flatMap { directory.pool($0)?.name }
        let endpoint = record.endpoint.flatMap { directory.endpoint($0)?.url }
        lines.append(loop: loop) { bytes, timestamp in
            bytes.append("{\"time\":\"")
            timestamp.append(nanoseconds: wallClock.nanoseconds(at: record.endedAt), to: &bytes)
            bytes.append("\",\"request_id\":")
            bytes.append(quoted: record.requestID)
            if !record.tenant.isEmpty {
                bytes.append(",\"tenant\":")
                bytes.append(quoted: record.tenant)
            }
            bytes.append(",\"band\":")
            bytes.append(quoted: record.band.label)
            if let pool {
                bytes.append(",\"pool\":")
                bytes.append(quoted: pool)
            }
            AccessLog.appendRequest(record, to: &bytes)
            if let endpoint {
                bytes.append(",\"endpoint\":")
                bytes.append(quoted: endpoint)
            }
            AccessLog.appendTimes(record, to: &bytes)
            AccessLog.appendSizes(record, to: &bytes)
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func appendRequest(_ record: RequestRecord, to bytes: inout ByteText) {
        bytes.append(",\"method\":")
        bytes.append(quoted: record.method, limitBytes: 32)
        bytes.append(",\"path\":")
        bytes.append(quoted: record.path)
        if !record.model.isEmpty {
            bytes.append(",\"model\":")
            bytes.append(quoted: record.model)
        }
        bytes.append(",\"status\":")
        bytes.append(decimal: record.status)
        bytes.append(",\"outcome\":")
        bytes.append(quoted: record.outcome.rawValue)
        if !record.refusal.isEmpty {
            bytes.append(",\"reason\":" as StaticString)
            bytes.append(quoted: record.refusal)
        }
    }

    private static func appendTimes(_ record: RequestRecord, to bytes: inout ByteText) {
        if let forwarded = record.forwardedAt {
            bytes.append(",\"queue_ms\":")
            bytes.append(milliseconds: forwarded.nanoseconds &- record.arrivedAt.nanoseconds)
        }
        if let first = record.firstByteAt {
            bytes.append(",\"ttft_ms\":")
            bytes.append(milliseconds: first.nanoseconds &- record.arrivedAt.nanoseconds)
        }
        bytes.append(",\"duration_ms\":")
        bytes.append(milliseconds: record.endedAt.nanoseconds &- record.arrivedAt.nanoseconds)
    }

    private static func appendSizes(_ record: RequestRecord, to bytes: inout ByteText) {
        append(",\"prompt_tokens\":", record.promptTokens, to: &bytes)
        append(",\"output_tokens\":", record.outputTokens, to: &bytes)
        append(",\"cached_tokens\":", record.cachedTokens, to: &bytes)
        append(",\"attempts\":", record.attempts, to: &bytes)
        append(",\"bytes_in\":", record.bytesIn, to: &bytes)
        append(",\"bytes_out\":", record.bytesOut, to: &bytes)
        bytes.append(record.streamed ? ",\"streamed\":true" : ",\"streamed\":false")
    }

    private static func append(_ name: StaticString, _ value: Int?, to bytes: inout ByteText) {
        guard let value else { return }
        bytes.append(name)
        bytes.append(decimal: value)
    }
}
