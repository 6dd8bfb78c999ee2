package import FleetTracking

/// One band of one pool, as metrics, page and admin show it.
package struct BandSnapshot: Sendable, Equatable {
    package var waiting = 0
    package var waitingPromptTokens = 0
    /// How long the longest waiting work has waited; zero when none waits.
    package var oldestWait = Duration.zero
    package var inFlight = 0
    /// Works sent per second over the last eight seconds.
    package var forwardsPerSecond = 0.0
    /// Output tokens since the start; those of streams count as they come, others at the end of their answer.
    package var outputTokens = 0
}

/// One pool at one instant.
package struct PoolSnapshot: Sendable {
    package var id: PoolID
    package var realtime = BandSnapshot()
    package var async = BandSnapshot()
    /// Mean over the endpoints that take work of the larger of used sequences and used KV, each as a share; above 1
    /// when engines hold more than they run. 1 when no endpoint takes work.
    package var saturation = 1.0
    /// Jobs that the store said could come.
    package var backlog = 0
}

/// One endpoint at one instant.
package struct EndpointSnapshot: Sendable {
    package var id: EndpointID
    package var pool: PoolID
    package var health: EndpointHealth.State
    package var isDraining: Bool
    /// Left the configuration; its last works run to their end.
    package var isRemoved: Bool
    package var isFull: Bool
    package var realtime: BandLoad
    package var async: BandLoad
    /// Prompt tokens of ours believed not to be prefilled yet.
    package var pendingPromptTokens: Int
    /// Prompt tokens per second the engine is believed to prefill.
    package var prefillTokensPerSecond: Double
    /// KV tokens of our works so far, and capacity (nil: unknown).
    package var residentTokens: Int
    package var kvTokens: Int?
    /// Share of KV in use, own and foreign, 0…1; 0 when unknown.
    package var kvUse: Double
    /// Sequences and KV tokens of others, as of the last sample.
    package var foreignSequences: Int
    package var foreignKVTokens: Int
    /// The engine's own waiting queue, as of the last sample.
    package var engineWaiting: Int
    /// Sequences it is believed to run at once.
    package var maximumSequences: Int
    /// Nil: never sampled.
    package var sampleAge: Duration?
    package var isStale: Bool
    /// Blocks and tokens in the prefix index.
    package var prefixBlocks: Int
    package var prefixTokens: Int
    package var models: [ModelID]
}

/// The scheduler's state at one instant, for everybody who only looks.
package struct SchedulerSnapshot: Sendable {
    /// By `PoolID.index`.
    package var pools: [PoolSnapshot]
    /// In order of their ids.
    package var endpoints: [EndpointSnapshot]
    /// Works known, waiting and in flight.
    package var works: Int
    /// Events that named an unknown work, endpoint or pool.
    package var ignoredEvents: Int
    package var isAsyncPaused: Bool
}
