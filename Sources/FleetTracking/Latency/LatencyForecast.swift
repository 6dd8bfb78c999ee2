/// What a request would meet on one endpoint.
package struct LatencyForecast: Sendable, Equatable {
    /// From sending it to its first token, milliseconds.
    package var firstToken = 0.0
    /// The part of that which is its own prefill: what every stream there waits longer for its next token.
    package var ownPrefill = 0.0
    /// One step with it among the decodes: the gap between its tokens while nothing is prefilled.
    package var interToken = 0.0
    /// Streams there that its prefill holds up.
    package var residents = 0.0
    /// Recent predictions for this type of engine were good enough to go by.
    package var isTrusted = false

    package init() {}
}

/// What a forecast must know of a request.
package struct ForecastQuery: Sendable {
    package var promptTokens: Double
    /// Of these the engine is believed to hold so many, from the start.
    package var matchedTokens: Double
    package var sequences: Double
    package var outputTokens: Double

    package init(promptTokens: Int, matchedTokens: Int, sequences: Int = 1, outputTokens: Int = 0) {
        self.promptTokens = Double(max(1, promptTokens))
        // A full hit still computes the last token.
        self.matchedTokens = min(Double(max(0, matchedTokens)), self.promptTokens - 1)
        self.sequences = Double(max(1, sequences))
        self.outputTokens = Double(max(0, outputTokens))
    }
}
