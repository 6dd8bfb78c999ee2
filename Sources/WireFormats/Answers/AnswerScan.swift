/// Usage of an unstreamed answer (OpenAI chat, completions, embeddings, Responses; Anthropic; llama.cpp's timings).
///
/// Tolerant: what is missing or odd is nil. Never fails, never changes the answer.
package struct AnswerScan: Sendable, Equatable {
    package private(set) var usage: TokenUsage?

    /// Places in a tail that are tried for one member, so that an odd answer cannot cost much.
    private static let maximumLooks = 16

    package init() {}

    /// Reads a whole answer; one that is cut off gives what was found before the cut.
    package init(whole body: UnsafeRawBufferPointer) {
        var timings: TokenUsage?
        var cursor = JSONCursor(body)
        do throws(ScanFailure) {
            try cursor.enterObject()
            while let name = try cursor.nextName() {
                let value = try cursor.value()
                if cursor.name(name, is: "usage") {
                    usage = TokenUsage(body, value) ?? usage
                } else if cursor.name(name, is: "timings") {
                    timings = TokenUsage(timings: body, value)
                }
            }
        } catch {
            // Cut off, or not JSON: what came before counts.
        }
        usage = usage ?? timings
    }

    /// Reads the end of an answer whose start is not at hand: the last `usage` in it.
    ///
    /// Sound although the start is missing: within a JSON string every quote is escaped, so the bytes `"usage"`
    /// followed by a colon are a member's name.
    package init(tail: UnsafeRawBufferPointer) {
        if let value = AnswerScan.lastValue(of: "\"usage\"", in: tail) { usage = TokenUsage(tail, value) }
        if usage == nil, let value = AnswerScan.lastValue(of: "\"timings\"", in: tail) {
            usage = TokenUsage(timings: tail, value)
        }
    }

    private static func lastValue(of key: StaticString, in tail: UnsafeRawBufferPointer) -> Range<Int>? {
        var end = tail.count
        var looks = 0
        while looks < maximumLooks, let start = ByteSearch.last(key, in: tail, 0..<end) {
            end = start
            looks += 1
            var cursor = JSONCursor(tail, (start + key.utf8CodeUnitCount)..<tail.count)
            guard cursor.peek() == UInt8(ascii: ":") else { continue }
            let afterColon = cursor.position + 1
            cursor = JSONCursor(tail, afterColon..<tail.count)
            if let value = try? cursor.value(), !JSONScalar.isNull(tail, value) { return value }
        }
        return nil
    }
}
