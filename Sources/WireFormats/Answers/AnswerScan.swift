/// Usage and finish reason of an unstreamed answer (OpenAI chat, completions, embeddings, Responses; Anthropic).
///
/// Tolerant: what is missing or odd is nil. Never fails, never changes the answer.
package struct AnswerScan: Sendable, Equatable {
    package private(set) var usage: TokenUsage?
    /// The first choice's, or Anthropic's `stop_reason`, or a Responses `status`.
    package private(set) var finishReason: String?
    /// The answer is an error body.
    package private(set) var isError = false

    /// Places in a tail that are tried for one member, so that an odd answer cannot cost much.
    private static let maximumLooks = 16

    package init() {}

    /// Reads a whole answer; one that is cut off gives what was found before the cut.
    package init(whole body: UnsafeRawBufferPointer) {
        var timings: TokenUsage?
        var isTyped = false
        try? JSONCursor.forEachMember(body, 0..<body.count) { cursor, member in
            let value = member.value
            if cursor.key(member, is: "usage") {
                usage = TokenUsage(body, value) ?? usage
            } else if cursor.key(member, is: "choices") {
                finishReason = AnswerScan.choiceReason(body, value) ?? finishReason
            } else if cursor.key(member, is: "stop_reason") || cursor.key(member, is: "status") {
                finishReason = AnswerScan.reason(body, value) ?? finishReason
            } else if cursor.key(member, is: "error") {
                isError = isError || AnswerError.isError(body, value)
            } else if cursor.key(member, is: "object") || cursor.key(member, is: "type") {
                isTyped = isTyped || ByteSearch.equal(body, value, "\"error\"")
            } else if cursor.key(member, is: "timings") {
                timings = TokenUsage(timings: body, value)
            }
        }
        isError = isError || isTyped
        usage = usage ?? timings
    }

    /// Reads the end of an answer whose start is not at hand: the last `usage` and the last finish reason in it.
    ///
    /// Sound although the start is missing: within a JSON string every quote is escaped, so the bytes `"usage"`
    /// followed by a colon are a member's name.
    package init(tail: UnsafeRawBufferPointer) {
        if let value = AnswerScan.lastValue(of: "\"usage\"", in: tail) { usage = TokenUsage(tail, value) }
        if usage == nil, let value = AnswerScan.lastValue(of: "\"timings\"", in: tail) {
            usage = TokenUsage(timings: tail, value)
        }
        let reason =
            AnswerScan.lastValue(of: "\"finish_reason\"", in: tail)
            ?? AnswerScan.lastValue(of: "\"stop_reason\"", in: tail)
        finishReason = reason.flatMap { AnswerScan.reason(tail, $0) }
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

    private static func choiceReason(_ body: UnsafeRawBufferPointer, _ choices: Range<Int>) -> String? {
        var cursor = JSONCursor(body, choices)
        guard (try? cursor.enterArray()) != nil, let first = try? cursor.nextElement() else { return nil }
        var found: String?
        try? JSONCursor.forEachMember(body, first) { cursor, member in
            if cursor.key(member, is: "finish_reason") { found = reason(body, member.value) }
        }
        return found
    }

    private static func reason(_ body: UnsafeRawBufferPointer, _ value: Range<Int>) -> String? {
        JSONScalar.text(body, value, limit: StreamFacts.maximumReasonBytes)
    }
}
