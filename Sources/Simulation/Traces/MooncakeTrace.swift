import WireFormats

/// The Mooncake traces (FAST'25): JSON lines with `timestamp` in milliseconds, `input_length`, `output_length` and
/// `hash_ids`, one for each block of 512 prompt tokens. An id stands for its block and all before it.
package enum MooncakeTrace {
    package static func parse(_ bytes: [UInt8], file: String) throws(TraceFault) -> Trace {
        var requests: [TraceRequest] = []
        var number = 0
        for row in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            if row.isEmpty { continue }
            requests.append(try read(try RowFields(row, file: file, line: number)))
        }
        guard !requests.isEmpty else { throw TraceFault(file: file, line: 0, message: "no request in it") }
        return Trace(requests, blockTokens: 512)
    }

    private static func read(_ row: RowFields) throws(TraceFault) -> TraceRequest {
        let milliseconds = try row.whole("timestamp", 0...RowFields.longestMilliseconds)
        let prompt = try row.whole("input_length", 1...TraceRequest.mostTokens)
        let output = try row.whole("output_length", 0...TraceRequest.mostTokens)
        var blocks: [UInt64] = []
        guard let ids = row["hash_ids"]?.array else {
            throw row.fault("hash_ids", "must be an array of whole numbers")
        }
        for id in ids {
            guard let id = id.int, id >= 0 else { throw row.fault("hash_ids", "must be an array of whole numbers") }
            blocks.append(UInt64(id) &+ 1)
        }
        return TraceRequest(
            arrival: Int64(milliseconds) * 1_000_000, promptTokens: prompt, outputTokens: output, blocks: blocks)
    }
}
