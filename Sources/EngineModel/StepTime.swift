/// How long one step of the batch takes, from what is in it.
///
/// `max(weightRead, base + linear * (P + B)) + kvRead * K + attention * A + perSequence * R + fixed`, in milliseconds:
/// P prefill tokens, B decoding sequences, K KV tokens that the decodes read, A token pairs of prefill attention,
/// R sequences in the step.
package struct StepTime: Sendable, Equatable {
    /// Floor of the linear part: reading the weights once.
    package var weightReadMilliseconds: Double
    package var baseMilliseconds: Double
    package var linearMillisecondsPerToken: Double
    package var kvReadMillisecondsPerToken: Double
    package var attentionMillisecondsPerPair: Double
    package var sequenceMilliseconds: Double
    package var fixedMilliseconds: Double

    /// The step's length in milliseconds, without noise.
    package func milliseconds(of load: StepLoad) -> Double {
        let linear = baseMilliseconds + linearMillisecondsPerToken * Double(load.prefillTokens + load.decodes)
        let attention =
            kvReadMillisecondsPerToken * Double(load.decodeContext)
            + attentionMillisecondsPerPair * load.prefillPairs
        return max(weightReadMilliseconds, linear) + attention + sequenceMilliseconds * Double(load.sequences)
            + fixedMilliseconds
    }
}

/// What one step of the batch computes.
package struct StepLoad: Sendable, Equatable {
    /// Prompt tokens (or tokens computed again after a preemption) in this step.
    package var prefillTokens = 0
    /// Sequences that produce their next token from one input token.
    package var decodes = 0
    /// Sum of the context lengths of the decodes, in tokens.
    package var decodeContext = 0
    /// Sum over prefill chunks of `n * (tokens before + n / 2)`.
    package var prefillPairs = 0.0
    package var sequences = 0

    package init() {}

    /// Adds a prefill chunk of `tokens` after `contextBefore` tokens that are already computed.
    package mutating func addPrefill(tokens: Int, contextBefore: Int) {
        prefillTokens += tokens
        prefillPairs += Double(tokens) * (Double(contextBefore) + Double(tokens) / 2)
        sequences += 1
    }

    /// Adds one decode that reads `context` tokens.
    package mutating func addDecode(context: Int) {
        decodes += 1
        decodeContext += context
        sequences += 1
    }
}
