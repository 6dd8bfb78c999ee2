/// The works sent to an endpoint since it began to return to the rotation, by band.
///
/// Only these count against its allowance and only their answers raise it: works of the time before its ejection say
/// nothing about how it is now, and many long ones would keep everything away from it.
struct ReturnTrials: Sendable {
    /// The return that is counted (`EndpointHealth.returns`), and the ticket of the first work sent in it.
    private var serial = 0
    private var firstTicket = 0
    private var realtime = 0
    private var async = 0

    /// Works of this return that take from what this band may have. Jobs do not take from real-time's share: one that
    /// is not streamed shows its first byte only at its end, and would hold real-time off for as long. `serial`: the
    /// endpoint's.
    func count(against band: Band, serial: Int) -> Int {
        guard serial == self.serial else { return 0 }
        return band == .realtime ? realtime : realtime + async
    }

    /// A work is sent; `ticket` is its number.
    mutating func sent(_ ticket: Int, _ band: Band, serial: Int) {
        if serial != self.serial { self = ReturnTrials(serial: serial, firstTicket: ticket) }
        change(band, by: 1)
    }

    /// A work left.
    mutating func left(_ ticket: Int, _ band: Band, serial: Int) {
        if contains(ticket, serial: serial) { change(band, by: -1) }
    }

    /// True for a work of this return.
    func contains(_ ticket: Int, serial: Int) -> Bool { serial == self.serial && ticket >= firstTicket }

    private mutating func change(_ band: Band, by count: Int) {
        if band == .realtime { realtime += count } else { async += count }
    }

    init() {}

    private init(serial: Int, firstTicket: Int) {
        self.serial = serial
        self.firstTicket = firstTicket
    }
}
