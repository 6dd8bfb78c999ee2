/// One sequence for the engine to run.
package struct SequenceRequest: Sendable {
    package var prompt: PromptDigest
    /// Most tokens to generate; 0: the sequence ends with its prefill (embeddings, scores).
    package var maximumTokens: Int
    /// The answer cannot end by itself before this many tokens.
    package var minimumTokens = 0
    /// The answer never ends by itself.
    package var ignoresEnd = false
    /// Tokens that end the answer like the end-of-sequence token does.
    package var stopTokens: [Int32] = []
    /// Lower runs earlier. Counts only under `SchedulingPolicy.priority`.
    package var priority = 0
    /// Tells several answers to one prompt apart; 0: the greedy one.
    package var sampling: UInt64 = 0
    /// Penalties and seeds depend on what was generated in this request, so that a continuation from token ids does
    /// not repeat them. True lets the position take part in every draw.
    package var dependsOnPosition = false

    package init(prompt: PromptDigest, maximumTokens: Int) {
        self.prompt = prompt
        self.maximumTokens = maximumTokens
    }
}

/// A sequence in the engine. Stale ids are recognised and ignored.
package struct SequenceID: Hashable, Sendable {
    var slot: Int32
    var generation: UInt32

    /// Small and dense: usable as an index into a caller's own table, reused after the sequence is gone.
    package var index: Int { Int(slot) }
}

/// What `submit` said.
package enum Admission: Sendable, Equatable {
    case queued(SequenceID)
    case refused(AdmissionRefusal)
}

/// Why a sequence was not taken.
package enum AdmissionRefusal: Sendable, Equatable {
    /// As many sequences as allowed are waiting or running.
    case tooManySequences(limit: Int)
    /// As many prompt tokens as allowed are not prefilled yet.
    case tooManyPromptTokens(limit: Int)
    /// The prompt leaves no room for an answer within the model's length.
    case promptTooLong(tokens: Int, limit: Int)
    case emptyPrompt
}
