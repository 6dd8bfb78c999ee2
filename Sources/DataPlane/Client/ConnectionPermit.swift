import Synchronization

/// Counts client connections of the process against their limit, and some beyond it, in which health checks are
/// answered while clients hold all the others.
package final class ConnectionCount: Sendable {
    package let limit: Int
    package let reserve: Int
    private let open = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)
    private let stalled = Atomic<Int>(0)

    package init(limit: Int, reserve: Int = 0) {
        self.limit = limit
        self.reserve = reserve
    }

    package var current: Int { open.load(ordering: .relaxed) }
    /// Connections closed, or refused their request, because the limit was reached; for metrics.
    package var refusals: Int { refused.load(ordering: .relaxed) }
    /// Connections cut because the client took nothing of what was written, for metrics.
    package var stalls: Int { stalled.load(ordering: .relaxed) }

    /// Nil when the reserve is in use too.
    func take() -> ConnectionPermit? {
        let number = open.add(1, ordering: .relaxed).newValue
        if number <= limit + reserve { return ConnectionPermit(of: self, isReserved: number > limit) }
        open.subtract(1, ordering: .relaxed)
        noteRefusal()
        return nil
    }

    fileprivate func noteRefusal() { refused.add(1, ordering: .relaxed) }

    fileprivate func giveBack() { open.subtract(1, ordering: .relaxed) }

    fileprivate func noteStall() { stalled.add(1, ordering: .relaxed) }
}

/// One open connection. Given back once, at the latest when the connection's handler goes.
final class ConnectionPermit {
    private var count: ConnectionCount?
    /// Beyond the limit: for one health check.
    let isReserved: Bool

    fileprivate init(of count: ConnectionCount, isReserved: Bool) {
        self.count = count
        self.isReserved = isReserved
    }

    // To be called before it is given back:

    func noteStall() { count?.noteStall() }

    func noteRefusal() { count?.noteRefusal() }

    func release() {
        count?.giveBack()
        count = nil
    }

    deinit { count?.giveBack() }
}
