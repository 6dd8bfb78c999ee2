/// What one scrape of an engine's `/metrics` said. Absent signals are nil: each engine exports its own subset.
package struct EngineSample: Sendable, Equatable {
    /// Sequences in the engine's running batch.
    package var running: Int?
    /// Sequences in the engine's own waiting queue.
    package var waiting: Int?
    /// Share of KV blocks in use, 0…1.
    package var kvUse: Double?
    /// Tokens in one KV block.
    package var blockSize: Int?
    /// KV blocks the engine has.
    package var blocks: Int?
    /// Counter, tokens: prompt tokens looked up in the prefix cache.
    package var prefixQueries: Double?
    /// Counter, tokens: prompt tokens found in the prefix cache.
    package var prefixHits: Double?
    /// Counter: sequences preempted for want of KV blocks.
    package var preemptions: Double?
    /// When the scrape was sent; our own in-flight work at this instant is what the sample is compared with.
    package var takenAt: Instant

    package init(takenAt: Instant) { self.takenAt = takenAt }
}

/// The engine family, which decides metric names, cancel behaviour and the sign of `priority`.
package enum EngineKind: String, Sendable, CaseIterable {
    case vllm
    case sglang
    case llamacpp
    /// No known metric family was found: only our own accounting is used.
    case unknown
}
