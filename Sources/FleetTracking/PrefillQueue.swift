/// Prompt tokens of ours that one engine has yet to prefill, in the order in which they were sent.
///
/// A first output proves that everything sent up to that work is prefilled. Answers that are not streamed prove
/// it only at their end, so the queue also drains by time, at the rate the engine is believed to prefill.
package struct PrefillQueue: Sendable {
    private struct Entry {
        var tokens: Int
        var band: Band
    }

    private var entries = RingQueue<Entry>()
    /// Ticket of the entry at the front.
    private var frontTicket = 0
    private var advancedTo = Instant.zero
    /// Part of a token that is prefilled already.
    private var fraction = 0.0
    private var pendingRealtime = 0
    private var pendingAsync = 0

    package init() {}

    /// Tokens of both bands.
    package var pending: Int { pendingRealtime + pendingAsync }

    package func pending(_ band: Band) -> Int { band == .realtime ? pendingRealtime : pendingAsync }

    /// Tokens of the work at the front.
    package var frontTokens: Int { entries.first?.tokens ?? 0 }

    /// The ticket of the next work.
    package var nextTicket: Int { frontTicket + entries.count }

    /// Adds a work's tokens; the ticket names them. Tickets count up.
    package mutating func add(tokens: Int, band: Band, now: Instant) -> Int {
        if entries.isEmpty {
            advancedTo = now
            fraction = 0
        }
        entries.append(Entry(tokens: tokens, band: band))
        change(band, by: tokens)
        return nextTicket - 1
    }

    /// Lets the engine work until `now`. `rate`: tokens per second, above 0.
    package mutating func advance(to now: Instant, rate: Double) {
        guard now > advancedTo, !entries.isEmpty else { return }
        let budget = fraction + min(1e9, (now - advancedTo).seconds * rate)
        advancedTo = now
        var whole = Int(budget)
        fraction = budget - Double(whole)
        while let front = entries.first {
            if front.tokens > whole {
                entries[0].tokens -= whole
                change(front.band, by: -whole)
                return
            }
            whole -= front.tokens
            popFront()
        }
    }

    /// Everything up to this ticket is prefilled.
    package mutating func complete(_ ticket: Int) {
        while frontTicket <= ticket, !entries.isEmpty { popFront() }
    }

    /// The work of this ticket left before it was prefilled.
    package mutating func withdraw(_ ticket: Int) {
        let index = ticket - frontTicket
        guard index >= 0, index < entries.count else { return }
        change(entries[index].band, by: -entries[index].tokens)
        entries[index].tokens = 0
        while let front = entries.first, front.tokens == 0 { popFront() }
    }

    private mutating func popFront() {
        guard let front = entries.popFirst() else { return }
        change(front.band, by: -front.tokens)
        frontTicket += 1
    }

    private mutating func change(_ band: Band, by tokens: Int) {
        if band == .realtime { pendingRealtime += tokens } else { pendingAsync += tokens }
    }
}
