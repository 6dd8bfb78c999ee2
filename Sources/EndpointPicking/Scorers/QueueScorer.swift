/// Minus the work ahead, in thousands of prompt tokens: what awaits prefill, and a price for each sequence.
///
/// Absolute, so that load outweighs any fixed gain sooner or later. One more running sequence slows a request of 200
/// output tokens by about as much as 600 prompt tokens of prefill, on an H100 as on an L4 (step-time constants of
/// 8B models), but its first token hardly at all: it is priced between. It weighs more where the engine runs fewer at
/// once.
package struct QueueScorer: Scorer {
    package var name: String { "queue" }
    /// Price of one sequence in prompt tokens.
    package var tokensPerSequence = 256.0
    /// The sequence limit at which that price holds.
    package var referenceSequences = 256.0

    package init() {}

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        for index in candidates.indices {
            let candidate = candidates[index]
            let scale = referenceSequences / Double(max(1, candidate.maximumSequences))
            let sequences = Double(candidate.sequences) * tokensPerSequence * min(16, max(1, scale))
            values[index] = -(Double(candidate.pendingPromptTokens) + sequences) / 1000
        }
    }
}
