import Synchronization

/// Bytes held in memory by the whole process: bodies of requests, and answers to jobs while they come.
package final class BufferBudget: Sendable {
    package let limit: Int
    private let used = Atomic<Int>(0)
    private let waiting = Atomic<Int>(0)

    package init(limit: Int) { self.limit = limit }

    /// True when `bytes` were taken from the budget; they must be given back with `release`.
    package func reserve(_ bytes: Int) -> Bool { reserve(bytes, within: limit) }

    /// The same, if no more than `bound` bytes are then in use.
    package func reserve(_ bytes: Int, within bound: Int) -> Bool {
        let before = used.add(bytes, ordering: .relaxed).oldValue
        if before &+ bytes <= bound { return true }
        used.subtract(bytes, ordering: .relaxed)
        return false
    }

    /// How much to reserve for a body when `needed` bytes of it are there: in growing steps, so that one whose length is
    /// only `announced` holds little.
    static func step(for needed: Int, announced: Int?) -> Int {
        let target = max(needed, min(2 * needed, 8 << 20))
        guard let announced else { return target }
        return max(needed, min(announced, max(target, 256 << 10)))
    }

    /// A body has to wait for room. Told once, however often it then asks.
    func noteWait() { waiting.add(1, ordering: .relaxed) }

    package func release(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }

    /// Bytes in use now, for metrics.
    package var usedBytes: Int { used.load(ordering: .relaxed) }
    /// Bodies that had to wait so far, for metrics.
    package var waits: Int { waiting.load(ordering: .relaxed) }
}
