import Synchronization

/// A bound on how many of one thing run at once, such as uploads or viewers.
package final class Slots: Sendable {
    package let limit: Int
    private let taken = Mutex(0)

    package init(limit: Int) { self.limit = limit }

    /// Slots in use.
    package var inUse: Int { taken.withLock { $0 } }

    /// False at the limit. Every true must be followed by one `free`.
    package func take() -> Bool {
        taken.withLock { taken in
            guard taken < limit else { return false }
            taken += 1
            return true
        }
    }

    package func free() { taken.withLock { $0 -= 1 } }
}
