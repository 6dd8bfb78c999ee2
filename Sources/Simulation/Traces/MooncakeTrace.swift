import WireFormats

/// The Mooncake traces (FAST'25): JSON lines with `timestamp` in milliseconds, `input_length`, `output_length` and
/// `hash_ids`, one for each block of 512 prompt tokens. An id stands for its block and all before it.
package enum MooncakeTrace {
    /// About 35 years.
    private static let longestMilliseconds = 1 << 40

    package static func parse(_ bytes: [UInt8], file: String) throws(TraceFault) -> Trace {
        var requests: [TraceRequest] = []
        var number = 0
        for row in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            if row.isEmpty { continue }
            guard let value = try? JSONValue.parse(Array(row)) else {
                throw TraceFault(file: file, line: number, message: "is not JSON")
            }
            requests.append(try read(value, file: file, line: number))
        }
        guard !requests.isEmpty else { throw TraceFault(file: file, line: 0, message: "no request in it") }
        return Trace(requests, blockTokens: 512)
    }

    private static func read(_ value: JSONValue, file: String, line: Int) throws(TraceFault) -> TraceRequest {
        let milliseconds = try whole("timestamp", of: value, 0...longestMilliseconds, file: file, line: line)
        let prompt = try whole("input_length", of: value, 1...TraceRequest.mostTokens, file: file, line: line)
        let output = try whole("output_length", of: value, 0...TraceRequest.mostTokens, file: file, line: line)
        var blocks: [UInt64] = []
        guard let ids = value["hash_ids"]?.array else {
            throw TraceFault(file: file, line: line, message: "hash_ids must be an array of whole numbers")
        }
        for id in ids {
            guard let id = id.int, id >= 0 else {
                throw TraceFault(file: file, line: line, message: "hash_ids must be an array of whole numbers")
            }
            blocks.append(UInt64(id) &+ 1)
        }
        return TraceRequest(
            arrival: Int64(milliseconds) * 1_000_000, promptTokens: prompt, outputTokens: output, blocks: blocks)
    }

    private static func whole(
        _ name: String, of value: JSONValue, _ range: ClosedRange<Int>, file: String, line: Int
    ) throws(TraceFault) -> Int {
        guard let found = value[name]?.int, range.contains(found) else {
            throw TraceFault(
                file: file, line: line,
                message: "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return found
    }
}
