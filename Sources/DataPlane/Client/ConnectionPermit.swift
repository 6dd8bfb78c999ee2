import Synchronization

/// Counts client connections of the process against their limit.
package final class ConnectionCount: Sendable {
    package let limit: Int
    private let open = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)
    private let stalled = Atomic<Int>(0)

    package init(limit: Int) { self.limit = limit }

    package var current: Int { open.load(ordering: .relaxed) }
    /// Connections closed at once because the limit was reached, for metrics.
    package var refusals: Int { refused.load(ordering: .relaxed) }
    /// Connections cut because the client took nothing of what was written, for metrics.
    package var stalls: Int { stalled.load(ordering: .relaxed) }

    /// Nil at the limit.
    func take() -> ConnectionPermit? {
        if open.add(1, ordering: .relaxed).newValue <= limit { return ConnectionPermit(of: self) }
        open.subtract(1, ordering: .relaxed)
        refused.add(1, ordering: .relaxed)
        return nil
    }

    fileprivate func giveBack() { open.subtract(1, ordering: .relaxed) }

    fileprivate func noteStall() { stalled.add(1, ordering: .relaxed) }
}

/// One open connection. Given back once, at the latest when the connection's handler goes.
final class ConnectionPermit {
    private var count: ConnectionCount?

    fileprivate init(of count: ConnectionCount) { self.count = count }

    /// To be called before it is given back.
    func noteStall() { count?.noteStall() }

    func release() {
        count?.giveBack()
        count = nil
    }

    deinit { count?.giveBack() }
}
