import FleetTracking
import WireFormats

/// Neap's own trace log, as `log.trace` writes it: one JSON line for each request or job that was answered, in the
/// order of their ends. `arrival_ms` counts from the gateway's start, `blocks` are the links of the prompt's hash chain
/// as `[hash, end in bytes]`.
///
/// Requests arrive when the log says. A job's row says when a gateway had room for it, which is what a policy decided
/// and not what was wanted; so jobs wait in the store from the start.
package enum NeapTrace {
    /// Most models that a fault lists.
    private static let listedModels = 8
    private static let longestPrompt = 1 << 40

    private struct Row {
        var model: String
        var band: Band
        var request: TraceRequest
    }

    /// Keeps the rows of `model`; nil: the log must hold one only, because a simulated fleet serves one.
    package static func parse(_ bytes: [UInt8], file: String, model: String? = nil) throws(TraceFault) -> Trace {
        var rows: [Row] = []
        var number = 0
        for row in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            if row.isEmpty { continue }
            rows.append(try read(try RowFields(row, file: file, line: number)))
        }
        let models = Set(rows.map(\.model)).sorted()
        let names = models.prefix(listedModels).joined(separator: ", ") + (models.count > listedModels ? ", ..." : "")
        if model == nil, models.count > 1 {
            throw TraceFault(file: file, line: 0, message: "holds several models, name one of them: \(names)")
        }
        if let model {
            rows.removeAll { $0.model != model }
            if rows.isEmpty { throw TraceFault(file: file, line: 0, message: "no row of \(model); it holds: \(names)") }
        }
        let requests = rows.filter { $0.band == .realtime }.map(\.request)
        guard !requests.isEmpty else { throw TraceFault(file: file, line: 0, message: "no real-time request in it") }
        var trace = Trace(requests, jobs: rows.filter { $0.band == .async }.map(\.request))
        if let ratio = bytesPerToken(rows.map(\.request)) { trace.bytesPerToken = ratio }
        return trace
    }

    private static func read(_ row: RowFields) throws(TraceFault) -> Row {
        let arrival = try row.milliseconds("arrival_ms")
        guard let model = row["model"]?.string else { throw row.fault("model", "must be a string") }
        guard let band = Band.allCases.first(where: { $0.label == row["band"]?.string }) else {
            throw row.fault("band", "must be \(Band.allCases.map(\.label).joined(separator: " or "))")
        }
        // An engine that does not count may say 0; it read something all the same.
        let prompt = max(1, try row.whole("prompt_tokens", 0...TraceRequest.mostTokens))
        let output = try row.whole("output_tokens", 0...TraceRequest.mostTokens)
        if row["ttft_ms"] != nil { _ = try row.milliseconds("ttft_ms") }
        var request = TraceRequest(arrival: arrival, promptTokens: prompt, outputTokens: output)
        request.chain = try chain(row)
        return Row(model: model, band: band, request: request)
    }

    private static func chain(_ row: RowFields) throws(TraceFault) -> [PrefixBlock] {
        let rule = "must be an array of at most \(PrefixBlock.maximumBlocks) pairs [hexadecimal hash, end byte]"
        guard let links = row["blocks"]?.array, links.count <= PrefixBlock.maximumBlocks else {
            throw row.fault("blocks", rule)
        }
        var chain: [PrefixBlock] = []
        for link in links {
            guard let pair = link.array, pair.count == 2, let text = pair[0].string, let end = pair[1].int,
                (1...16).contains(text.utf8.count), text.utf8.allSatisfy({ $0 != UInt8(ascii: "+") }),
                let hash = UInt64(text, radix: 16)
            else { throw row.fault("blocks", rule) }
            guard end > chain.last?.endByte ?? 0, end <= longestPrompt else {
                throw row.fault("blocks", "must end after one another, found \(end)")
            }
            chain.append(PrefixBlock(hash: hash, endByte: end))
        }
        return chain
    }

    /// Bytes of prompt text for one token: the median of the log's prompt tokens. A prompt's length in bytes lies
    /// between its last block's end and the end of the block that it did not fill; nil where no prompt filled one.
    private static func bytesPerToken(_ requests: [TraceRequest]) -> Double? {
        var ratios: [(ratio: Double, tokens: Int)] = []
        for request in requests {
            guard let end = request.chain.last?.endByte, request.chain.count < PrefixBlock.maximumBlocks,
                let next = PrefixHasher.boundaries.first(where: { $0 > end })
            else { continue }
            ratios.append((Double(end + next) / 2 / Double(request.promptTokens), request.promptTokens))
        }
        ratios.sort { $0 < $1 }
        var left = ratios.reduce(0) { $0 + $1.tokens } / 2
        for (ratio, tokens) in ratios {
            left -= tokens
            if left <= 0 { return min(64, max(0.25, ratio)) }
        }
        return nil
    }
}
