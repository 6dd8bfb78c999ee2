import Synchronization

/// A bound on how many of one thing run at once, such as uploads or viewers.
package final class Slots: Sendable {
    package let limit: Int
    private let state = Mutex((taken: 0, refused: 0))

    package init(limit: Int) { self.limit = limit }

    /// Slots in use.
    package var inUse: Int { state.withLock { $0.taken } }

    /// How often the limit said no since the start.
    package var refusals: Int { state.withLock { $0.refused } }

    /// False at the limit. Every true must be followed by one `free`.
    package func take() -> Bool {
        state.withLock { state in
            guard state.taken < limit else {
                state.refused += 1
                return false
            }
            state.taken += 1
            return true
        }
    }

    package func free() { state.withLock { $0.taken -= 1 } }
}
