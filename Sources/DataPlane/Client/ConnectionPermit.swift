import Synchronization

/// Counts client connections of the process against their limit, and some beyond it, in which health checks are
/// answered while clients hold all the others.
package final class ConnectionCount: Sendable {
    package let limit: Int
    package let reserve: Int
    private let ordinary = Atomic<Int>(0)
    private let reserved = Atomic<Int>(0)
    private let refused = Atomic<Int>(0)
    private let stalled = Atomic<Int>(0)

    package init(limit: Int, reserve: Int = 0) {
        self.limit = limit
        self.reserve = reserve
    }

    package var current: Int { ordinary.load(ordering: .relaxed) + reserved.load(ordering: .relaxed) }
    /// Connections closed, or refused their request, because the limit was reached; for metrics.
    package var refusals: Int { refused.load(ordering: .relaxed) }
    /// Connections cut because the client took nothing of what was written, for metrics.
    package var stalls: Int { stalled.load(ordering: .relaxed) }

    /// Nil when the reserve is in use too.
    func take() -> ConnectionPermit? {
        if takeOrdinary() { return ConnectionPermit(of: self, isReserved: false) }
        if ConnectionCount.take(from: reserved, limit: reserve) { return ConnectionPermit(of: self, isReserved: true) }
        noteRefusal()
        return nil
    }

    fileprivate func takeOrdinary() -> Bool { ConnectionCount.take(from: ordinary, limit: limit) }

    private static func take(from places: borrowing Atomic<Int>, limit: Int) -> Bool {
        if places.add(1, ordering: .relaxed).newValue <= limit { return true }
        places.subtract(1, ordering: .relaxed)
        return false
    }

    fileprivate func noteRefusal() { refused.add(1, ordering: .relaxed) }

    fileprivate func giveBack(isReserved: Bool) {
        if isReserved {
            reserved.subtract(1, ordering: .relaxed)
        } else {
            ordinary.subtract(1, ordering: .relaxed)
        }
    }

    fileprivate func noteStall() { stalled.add(1, ordering: .relaxed) }
}

/// One open connection. Given back once, at the latest when the connection's handler goes.
final class ConnectionPermit {
    private var count: ConnectionCount?
    /// Beyond the limit: for one health check.
    private(set) var isReserved: Bool

    fileprivate init(of count: ConnectionCount, isReserved: Bool) {
        self.count = count
        self.isReserved = isReserved
    }

    // To be called before it is given back:

    func noteStall() { count?.noteStall() }

    func noteRefusal() { count?.noteRefusal() }

    /// Changes a place of the reserve for one within the limit. False: there is none.
    func becomeOrdinary() -> Bool {
        guard isReserved else { return true }
        guard let count, count.takeOrdinary() else { return false }
        count.giveBack(isReserved: true)
        isReserved = false
        return true
    }

    func release() {
        count?.giveBack(isReserved: isReserved)
        count = nil
    }

    deinit { count?.giveBack(isReserved: isReserved) }
}
