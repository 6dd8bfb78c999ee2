package import FleetTracking

/// The queues of one pool: real-time first in, first out; async by deadline, then by arrival.
///
/// Both bands are bounded in works and prompt tokens. A work that leaves early (cancelled, expired) is marked, and its
/// entries are dropped when they come up or when more of them are dead than alive: memory is bounded by about three
/// entries for each waiting work.
package struct FlowController: Sendable {
    private struct Slot: Sendable {
        var queued: QueuedWork
        var generation: UInt32
        var isLive: Bool
    }

    private struct AsyncEntry: Comparable, Sendable {
        var deadline: Instant
        var arrival: UInt64
        var ticket: QueueTicket

        static func < (left: AsyncEntry, right: AsyncEntry) -> Bool {
            (left.deadline, left.arrival) < (right.deadline, right.arrival)
        }
    }

    private struct Expiry: Comparable, Sendable {
        var at: Instant
        var arrival: UInt64
        var ticket: QueueTicket

        static func < (left: Expiry, right: Expiry) -> Bool { (left.at, left.arrival) < (right.at, right.arrival) }
    }

    /// Works and prompt tokens that wait in one band.
    package struct Depth: Sendable, Equatable {
        package var works = 0
        package var promptTokens = 0

        package init(works: Int = 0, promptTokens: Int = 0) {
            self.works = works
            self.promptTokens = promptTokens
        }
    }

    private let settings: FlowSettings
    private var slots: [Slot] = []
    private var freeSlots: [Int32] = []
    private var realtimeQueue = RingQueue<QueueTicket>()
    private var asyncQueue = BinaryHeap<AsyncEntry>()
    private var expiries = BinaryHeap<Expiry>()
    private var arrivals: UInt64 = 0
    private var realtimeDepth = Depth()
    private var asyncDepth = Depth()
    private var drain = (realtime: DrainMeter(), async: DrainMeter())

    package init(settings: FlowSettings = FlowSettings()) { self.settings = settings }

    package func depth(_ band: Band) -> Depth { band == .realtime ? realtimeDepth : asyncDepth }

    /// True when the band takes a work of this size. A band that is empty takes any.
    package func hasPlace(_ band: Band, promptTokens: Int) -> Bool {
        let depth = depth(band)
        let limits = band == .realtime ? settings.realtime : settings.async
        guard depth.works < limits.entries else { return false }
        return depth.works == 0 || depth.promptTokens + promptTokens <= limits.promptTokens
    }

    /// Lets a work wait. `atFront`: it waited before and goes on waiting in its old place.
    package mutating func enqueue(_ queued: QueuedWork, atFront: Bool = false) -> QueueTicket {
        let ticket = makeTicket(queued)
        arrivals += 1
        if queued.band == .realtime {
            if atFront { realtimeQueue.prepend(ticket) } else { realtimeQueue.append(ticket) }
        } else {
            asyncQueue.insert(AsyncEntry(deadline: queued.deadline, arrival: arrivals, ticket: ticket))
        }
        if queued.expiresAt < .distantFuture {
            expiries.insert(Expiry(at: queued.expiresAt, arrival: arrivals, ticket: ticket))
        }
        change(queued.band, works: 1, promptTokens: queued.promptTokens)
        return ticket
    }

    /// Takes a work out, wherever it stands. Nil when it left already.
    @discardableResult
    package mutating func remove(_ ticket: QueueTicket) -> QueuedWork? {
        guard let queued = queued(ticket) else { return nil }
        slots[Int(ticket.slot)].isLive = false
        slots[Int(ticket.slot)].generation &+= 1
        freeSlots.append(ticket.slot)
        change(queued.band, works: -1, promptTokens: -queued.promptTokens)
        dropDeadEntries()
        return queued
    }

    /// The waiting work of this ticket; nil when it left.
    package func queued(_ ticket: QueueTicket) -> QueuedWork? {
        let slot = slots[Int(ticket.slot)]
        return slot.isLive && slot.generation == ticket.generation ? slot.queued : nil
    }

    // MARK: In order

    /// The real-time work at or behind `place` (0 is the front), with the place after it; nil at the end. Places are
    /// good until the queue changes.
    package mutating func realtime(from place: Int) -> (QueuedWork, QueueTicket, next: Int)? {
        while let first = realtimeQueue.first, queued(first) == nil { _ = realtimeQueue.popFirst() }
        var place = place
        while place < realtimeQueue.count {
            let ticket = realtimeQueue[place]
            place += 1
            if let queued = queued(ticket) { return (queued, ticket, place) }
        }
        return nil
    }

    /// The async works that come first, at most `limit`, in order, into `found`.
    package mutating func firstAsync(limit: Int, into found: inout [(QueuedWork, QueueTicket)]) {
        found.removeAll(keepingCapacity: true)
        var looked: [AsyncEntry] = []
        while found.count < limit, let entry = asyncQueue.popFirst() {
            guard let queued = queued(entry.ticket) else { continue }
            found.append((queued, entry.ticket))
            looked.append(entry)
        }
        for entry in looked { asyncQueue.insert(entry) }
    }

    /// The works of one band that wait, in no order of meaning but the same in every process.
    package func waiting(_ band: Band) -> [QueuedWork] {
        slots.filter { $0.isLive && $0.queued.band == band }.map(\.queued)
    }

    // MARK: Time

    /// When the next work's time to live ends; nil: none waits for ever less.
    package mutating func nextExpiry() -> Instant? {
        while let first = expiries.first {
            if queued(first.ticket) != nil { return first.at }
            _ = expiries.popFirst()
        }
        return nil
    }

    /// Takes out one work whose time to live is over.
    package mutating func popExpired(at now: Instant) -> QueuedWork? {
        while let first = expiries.first, first.at <= now {
            _ = expiries.popFirst()
            if let queued = remove(first.ticket) { return queued }
        }
        return nil
    }

    /// A work of the band was sent to an endpoint.
    package mutating func recordForward(_ band: Band, at now: Instant) {
        if band == .realtime { drain.realtime.record(at: now) } else { drain.async.record(at: now) }
    }

    /// How long to wait before trying again: what waits now, and one more, at the rate at which works were sent in the
    /// last seconds. In whole seconds, within the bounds of the settings; the longest when none was sent.
    package mutating func retryAfter(_ band: Band, at now: Instant) -> Duration {
        let rate = band == .realtime ? drain.realtime.perSecond(at: now) : drain.async.perSecond(at: now)
        let ahead = Double(depth(band).works + 1)
        guard rate > 0 else { return settings.longestRetry }
        let seconds = min(1e6, (ahead / rate).rounded(.up))
        return min(settings.longestRetry, max(settings.shortestRetry, .seconds(Int64(seconds))))
    }

    /// Works of the band sent per second, over the last eight seconds.
    package mutating func forwardsPerSecond(_ band: Band, at now: Instant) -> Double {
        band == .realtime ? drain.realtime.perSecond(at: now) : drain.async.perSecond(at: now)
    }

    // MARK: Parts

    private mutating func makeTicket(_ queued: QueuedWork) -> QueueTicket {
        if let slot = freeSlots.popLast() {
            slots[Int(slot)].queued = queued
            slots[Int(slot)].isLive = true
            return QueueTicket(slot: slot, generation: slots[Int(slot)].generation)
        }
        slots.append(Slot(queued: queued, generation: 0, isLive: true))
        return QueueTicket(slot: Int32(truncatingIfNeeded: slots.count - 1), generation: 0)
    }

    private mutating func change(_ band: Band, works: Int, promptTokens: Int) {
        if band == .realtime {
            realtimeDepth.works += works
            realtimeDepth.promptTokens += promptTokens
        } else {
            asyncDepth.works += works
            asyncDepth.promptTokens += promptTokens
        }
    }

    private mutating func dropDeadEntries() {
        let slack = 64
        let (slots, isLive) = (slots, FlowController.isLive)
        if realtimeQueue.count > 2 * realtimeDepth.works + slack { realtimeQueue.keep { isLive($0, slots) } }
        if asyncQueue.count > 2 * asyncDepth.works + slack { asyncQueue.keep { isLive($0.ticket, slots) } }
        if expiries.count > 2 * (realtimeDepth.works + asyncDepth.works) + slack {
            expiries.keep { isLive($0.ticket, slots) }
        }
    }

    private static func isLive(_ ticket: QueueTicket, _ slots: [Slot]) -> Bool {
        let slot = slots[Int(ticket.slot)]
        return slot.isLive && slot.generation == ticket.generation
    }
}
