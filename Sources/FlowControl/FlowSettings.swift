package import FleetTracking

/// Bounds of one band's queue. At either limit new work is refused as `queueFull`.
package struct BandLimits: Sendable, Equatable {
    /// Works that may wait.
    package var entries: Int
    /// Prompt tokens that may wait. A work larger than this may wait alone.
    package var promptTokens: Int

    package init(entries: Int, promptTokens: Int) {
        self.entries = entries
        self.promptTokens = promptTokens
    }
}

/// Queue settings of one pool.
package struct FlowSettings: Sendable, Equatable {
    /// Default 1024 works, 16 million tokens: at 4 bytes a token at most 64 MB of bodies behind one pool.
    package var realtime = BandLimits(entries: 1024, promptTokens: 16_000_000)
    /// Default 4096 works, 64 million tokens. The read-ahead window keeps the band far below it.
    package var async = BandLimits(entries: 4096, promptTokens: 64_000_000)
    /// Jobs looked at behind one that fits nowhere, for a smaller one of its model that does. Default 16.
    package var lookahead = 16
    /// How long a request waits before an endpoint is kept for it, where smaller ones of other models pass it by.
    /// Default 500 ms: a person notices no more.
    package var realtimeOverdue = Duration.milliseconds(500)
    /// The same for a job. Default 10 s: short beside a batch's hours, long beside the time an engine needs for a job.
    package var asyncOverdue = Duration.seconds(10)
    /// Bounds of the advice given with a refusal, in whole seconds. Default 1…60.
    package var shortestRetry = Duration.seconds(1)
    package var longestRetry = Duration.seconds(60)

    package init() {}

    package func overdue(_ band: Band) -> Duration { band == .realtime ? realtimeOverdue : asyncOverdue }
}
