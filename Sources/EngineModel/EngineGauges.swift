/// The engine's state in figures, as its `/metrics` shows it.
package struct EngineGauges: Sendable, Equatable {
    package var running = 0
    package var waiting = 0
    /// Share of KV blocks that a sequence holds, 0…1.
    package var kvUse = 0.0
    package var freeBlocks = 0
    /// Prompt tokens of sequences still in prefill or waiting.
    package var tokensInPrefill = 0
}

/// Totals since the start.
package struct EngineCounters: Sendable, Equatable {
    package var submitted = 0
    package var refusedSequences = 0
    package var refusedTokens = 0
    package var finishedStop = 0
    package var finishedLength = 0
    package var aborted = 0
    package var preempted = 0
    package var steps = 0
    /// Prompt tokens whose prefill ended, those found in the cache included.
    package var promptTokens = 0
    package var generatedTokens = 0
    /// Prompt tokens looked up in, and found in, the prefix cache; without those of preempted sequences.
    package var prefixQueries = 0
    package var prefixHits = 0
    /// Most sequences that ever ran in one step.
    package var maximumRunning = 0
}
