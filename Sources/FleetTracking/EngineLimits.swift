/// What the configuration says of an engine's size.
package struct EngineLimits: Sendable, Equatable {
    /// Sequences the engine runs at once; nil: unknown, the pool's default is assumed and corrected by samples.
    package var maximumSequences: Int?
    /// Tokens the engine prefills and decodes in one step; nil: unknown.
    package var batchTokens: Int?

    package init(maximumSequences: Int? = nil, batchTokens: Int? = nil) {
        self.maximumSequences = maximumSequences
        self.batchTokens = batchTokens
    }
}
