import FleetTracking

/// The running works of one loop, by id. Several look-ups for every request: a dictionary would hash each of them.
struct ExchangeTable {
    private var slots = SlotTable(minimumCapacity: 256)
    private var exchanges: [Exchange?] = []
    private var free: [Int] = []

    var count: Int { slots.count }

    subscript(work: WorkID) -> Exchange? { slots.slot(of: work.rawValue).flatMap { exchanges[$0] } }

    /// The work must not be in the table.
    mutating func insert(_ exchange: Exchange) {
        let key = exchange.work.rawValue
        precondition(!slots.contains(key), "work \(key) is in the table")
        if let slot = free.popLast() {
            exchanges[slot] = exchange
            slots.set(key, slot: slot)
        } else {
            slots.set(key, slot: exchanges.count)
            exchanges.append(exchange)
        }
    }

    /// Nothing when it is not there.
    mutating func remove(_ work: WorkID) {
        guard let slot = slots.slot(of: work.rawValue) else { return }
        slots.remove(work.rawValue)
        exchanges[slot] = nil
        free.append(slot)
    }
}
