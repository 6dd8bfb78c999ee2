import Synchronization

/// Bytes of request bodies held in memory by the whole process.
package final class BufferBudget: Sendable {
    package let limit: Int
    private let used = Atomic<Int>(0)
    private let refusals = Atomic<Int>(0)

    package init(limit: Int) { self.limit = limit }

    /// True when `bytes` were taken from the budget; they must be given back with `release`.
    package func reserve(_ bytes: Int) -> Bool {
        let before = used.add(bytes, ordering: .relaxed).oldValue
        if before &+ bytes <= limit { return true }
        used.subtract(bytes, ordering: .relaxed)
        refusals.add(1, ordering: .relaxed)
        return false
    }

    package func release(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }

    /// Bytes in use now, for metrics.
    package var usedBytes: Int { used.load(ordering: .relaxed) }
    /// Reservations that had to wait so far, for metrics.
    package var waits: Int { refusals.load(ordering: .relaxed) }
}
