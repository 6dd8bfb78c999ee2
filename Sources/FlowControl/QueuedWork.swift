package import FleetTracking

/// A piece of work that waits.
package struct QueuedWork: Sendable, Equatable {
    package var work: WorkID
    package var band: Band
    package var model: ModelID
    package var promptTokens: Int
    package var arrivedAt: Instant
    package var expiresAt: Instant
    /// Async only: orders the band.
    package var deadline: Instant
    /// Counts up with every work that arrives: orders works of equal deadline. A work that waits again keeps it.
    package var arrival: UInt64
    /// An attempt failed, so that some endpoint is closed to it.
    package var hasTried = false

    package init(
        work: WorkID, band: Band, model: ModelID, promptTokens: Int, arrivedAt: Instant, expiresAt: Instant,
        deadline: Instant = .distantFuture, arrival: UInt64
    ) {
        self.work = work
        self.band = band
        self.model = model
        self.promptTokens = promptTokens
        self.arrivedAt = arrivedAt
        self.expiresAt = expiresAt
        self.deadline = deadline
        self.arrival = arrival
    }
}

/// Names a waiting work; stale once it left the queue.
package struct QueueTicket: Sendable, Hashable {
    var slot: Int32
    var generation: UInt32
}
