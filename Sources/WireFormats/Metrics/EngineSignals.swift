/// The engine families whose metric names are known. Raw values are the words of the configuration.
package enum EngineFamily: String, Sendable, CaseIterable {
    case vllm
    case sglang
    case llamacpp
    case unknown
}

/// What one `/metrics` page of an engine says. Nil: not told, or not believable.
package struct EngineSignals: Sendable, Equatable {
    package var kind = EngineFamily.unknown
    /// Sequences in the running batch, summed over data-parallel ranks.
    package var running: Int?
    /// Sequences in the engine's own queue, summed over ranks.
    package var waiting: Int?
    /// Share of KV blocks in use, 0…1; of several ranks the greatest.
    package var kvUse: Double?
    /// Tokens in one KV block.
    package var blockSize: Int?
    /// KV blocks of all ranks.
    package var blocks: Int?
    /// Counter, tokens: prompt tokens looked up in the prefix cache.
    package var prefixQueries: Double?
    /// Counter, tokens: prompt tokens found in the prefix cache.
    package var prefixHits: Double?
    /// Counter: sequences preempted for want of KV blocks.
    package var preemptions: Double?

    package init() {}
}
