/// Tokens an engine says it used. Nil: it did not say.
package struct TokenUsage: Sendable, Equatable {
    /// The whole prompt, cached part included.
    package var promptTokens: Int?
    package var completionTokens: Int?
    /// Part of the prompt that came from the engine's prefix cache.
    package var cachedTokens: Int?

    package init(promptTokens: Int? = nil, completionTokens: Int? = nil, cachedTokens: Int? = nil) {
        self.promptTokens = promptTokens
        self.completionTokens = completionTokens
        self.cachedTokens = cachedTokens
    }

    package var isEmpty: Bool { promptTokens == nil && completionTokens == nil && cachedTokens == nil }

    /// Takes over what a later report says; Anthropic tells the prompt at the start and the output at the end.
    package mutating func merge(_ later: TokenUsage) {
        promptTokens = later.promptTokens ?? promptTokens
        completionTokens = later.completionTokens ?? completionTokens
        cachedTokens = later.cachedTokens ?? cachedTokens
    }

    /// Reads a `usage` object in any of the three shapes (OpenAI chat, OpenAI Responses, Anthropic Messages).
    ///
    /// Anthropic's `input_tokens` leaves out what was read from or written to the cache, so that is added.
    init?(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) {
        var usage = TokenUsage()
        var (read, written) = (0, 0)
        var isObject = false
        try? JSONCursor.forEachMember(bytes, value) { cursor, member in
            isObject = true
            if cursor.key(member, is: "prompt_tokens") || cursor.key(member, is: "input_tokens") {
                usage.promptTokens = TokenUsage.count(bytes, member.value) ?? usage.promptTokens
            } else if cursor.key(member, is: "completion_tokens") || cursor.key(member, is: "output_tokens") {
                usage.completionTokens = TokenUsage.count(bytes, member.value) ?? usage.completionTokens
            } else if cursor.key(member, is: "cache_read_input_tokens") {
                let cached = TokenUsage.count(bytes, member.value)
                usage.cachedTokens = cached ?? usage.cachedTokens
                read = cached ?? 0
            } else if cursor.key(member, is: "cache_creation_input_tokens") {
                written = TokenUsage.count(bytes, member.value) ?? 0
            } else if cursor.key(member, is: "prompt_tokens_details") || cursor.key(member, is: "input_tokens_details")
            {
                usage.cachedTokens = TokenUsage.cached(bytes, member.value) ?? usage.cachedTokens
            }
        }
        guard isObject, !usage.isEmpty else { return nil }
        if let prompt = usage.promptTokens { usage.promptTokens = prompt + read + written }
        self = usage
    }

    /// llama.cpp's `timings`, which come with the last chunk even when no usage was asked for.
    init?(timings bytes: UnsafeRawBufferPointer, _ value: Range<Int>) {
        var (fresh, cached, predicted): (Int?, Int?, Int?)
        try? JSONCursor.forEachMember(bytes, value) { cursor, member in
            if cursor.key(member, is: "prompt_n") {
                fresh = TokenUsage.count(bytes, member.value)
            } else if cursor.key(member, is: "cache_n") {
                cached = TokenUsage.count(bytes, member.value)
            } else if cursor.key(member, is: "predicted_n") {
                predicted = TokenUsage.count(bytes, member.value)
            }
        }
        self.init(promptTokens: fresh.map { $0 + (cached ?? 0) }, completionTokens: predicted, cachedTokens: cached)
        if isEmpty { return nil }
    }

    /// More tokens than this in one report is a lie, not a count; sums of reports stay far from overflow.
    private static let largestBelievableCount = 1_000_000_000_000

    private static func count(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) -> Int? {
        guard let count = JSONScalar.integer(bytes, value), count >= 0, count <= largestBelievableCount else {
            return nil
        }
        return count
    }

    private static func cached(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) -> Int? {
        var cached: Int?
        try? JSONCursor.forEachMember(bytes, value) { cursor, member in
            if cursor.key(member, is: "cached_tokens") { cached = count(bytes, member.value) }
        }
        return cached
    }
}
