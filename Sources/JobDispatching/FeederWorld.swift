package import DataPlane
package import FleetTracking
package import JobLifecycle
package import JobStores
package import Logging
package import SchedulerRuntime
package import Scheduling

/// What async dispatch stands between.
package struct FeederWorld: Sendable {
    package var store: any JobStore
    package var port: any JobPort
    /// The scheduler's door for `backlog` and `asyncPaused`.
    package var submit: @Sendable (Event) -> Void
    /// Models and pools in force.
    package var directory: @Sendable () -> Directory
    /// Dense tenant ids.
    package var tenant: @Sendable (String) -> TenantID
    /// The hash chain over the ranges of a body that hold its prompt, for prefix affinity; empty: none.
    package var prefix: @Sendable (ModelID, UnsafeRawBufferPointer, [Range<Int>]) -> [PrefixBlock]
    package var clock: FeederClock
    /// Two uniform draws from [0, 1) for each retry.
    package var draws: @Sendable () -> (jitter: Double, spread: Double)
    /// Told of every batch that ended, after its end is durable. Must return at once.
    package var batchEnded: @Sendable (Batch) -> Void
    package var log: Logger

    package init(
        store: any JobStore, port: any JobPort, submit: @escaping @Sendable (Event) -> Void,
        directory: @escaping @Sendable () -> Directory, tenant: @escaping @Sendable (String) -> TenantID,
        log: Logger
    ) {
        self.store = store
        self.port = port
        self.submit = submit
        self.directory = directory
        self.tenant = tenant
        self.prefix = { _, _, _ in [] }
        self.clock = .system
        self.draws = { (jitter: Double.random(in: 0..<1), spread: Double.random(in: 0..<1)) }
        self.batchEnded = { _ in }
        self.log = log
    }
}

/// The two time axes and a way to wait on the civil one. Injected, so that tests move time by hand.
package struct FeederClock: Sendable {
    package var wall: @Sendable () -> WallTime
    package var monotonic: @Sendable () -> Instant
    /// Returns at the time or later; throws when the task is cancelled.
    package var sleep: @Sendable (_ until: WallTime) async throws -> Void

    package init(
        wall: @escaping @Sendable () -> WallTime, monotonic: @escaping @Sendable () -> Instant,
        sleep: @escaping @Sendable (_ until: WallTime) async throws -> Void
    ) {
        self.wall = wall
        self.monotonic = monotonic
        self.sleep = sleep
    }

    package static let system = FeederClock(
        wall: { systemWall() }, monotonic: { MonotonicClock.system.now() },
        sleep: { until in
            // Looked at again every minute: the civil clock may be set while the task sleeps.
            while true {
                let left = until - systemWall()
                if left <= .zero { return }
                try await Task.sleep(for: min(left, .seconds(60)))
            }
        })
}
