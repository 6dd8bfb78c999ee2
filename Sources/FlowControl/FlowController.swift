package import FleetTracking

/// The queues of one pool: real-time by arrival, async by deadline and then by arrival, each in one lane for each model.
///
/// Both bands are bounded in works and prompt tokens. A work that leaves early (cancelled, expired) is taken out where
/// it stands: each waiting work has one entry in its lane and one in the order of expiry, no more.
///
/// What is asked at every event is stored: to call a method of another module's value, a caller that holds it in an
/// array first copies the whole, with a reference count for each of its arrays.
package struct FlowController: Sendable {
    private struct Slot: Sendable {
        var queued: QueuedWork
        var generation: UInt32
        var isLive: Bool
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
    private var realtimeLanes = ModelLanes()
    private var asyncLanes = ModelLanes()
    private var expiries = WaitingHeap()
    /// By slot: where it stands among the expiries.
    private var expiryPlaces: [Int32] = []
    package private(set) var realtimeDepth = Depth()
    package private(set) var asyncDepth = Depth()
    /// When the next work's time to live ends; nil: none waits for ever less.
    package private(set) var nextExpiry: Instant?
    private var drain = (realtime: DrainMeter(), async: DrainMeter())
    /// Reused by `behind`.
    private var found: [Int32] = []

    package init(settings: FlowSettings = FlowSettings()) { self.settings = settings }

    package func depth(_ band: Band) -> Depth { band == .realtime ? realtimeDepth : asyncDepth }

    /// True when the band takes a work of this size. A band that is empty takes any.
    package func hasPlace(_ band: Band, promptTokens: Int) -> Bool {
        let depth = depth(band)
        let limits = band == .realtime ? settings.realtime : settings.async
        guard depth.works < limits.entries else { return false }
        return depth.works == 0 || depth.promptTokens + promptTokens <= limits.promptTokens
    }

    /// True when real-time work of this model waits.
    package func hasWaiting(_ model: ModelID) -> Bool { realtimeDepth.works > 0 && realtimeLanes.hasWaiting(model) }

    /// Jobs of this model that wait. Changes nothing: `mutating` saves the caller the copy.
    package mutating func waitingJobs(_ model: ModelID) -> Int { asyncLanes.waiting(model) }

    /// Lets a work wait in the place that its arrival and deadline give it.
    package mutating func enqueue(_ queued: QueuedWork) -> QueueTicket {
        let ticket = makeTicket(queued)
        if queued.band == .realtime {
            realtimeLanes.insert(queued, key: WaitingKey(major: 0, minor: queued.arrival), slot: ticket.slot)
        } else {
            let key = WaitingKey(major: queued.deadline.nanoseconds, minor: queued.arrival)
            asyncLanes.insert(queued, key: key, slot: ticket.slot)
        }
        if queued.expiresAt < .distantFuture {
            let key = WaitingKey(major: queued.expiresAt.nanoseconds, minor: queued.arrival)
            expiries.insert(key, slot: ticket.slot, &expiryPlaces)
            noteExpiry()
        }
        change(queued.band, works: 1, promptTokens: queued.promptTokens)
        return ticket
    }

    /// Takes a work out, wherever it stands. Nil when it left already.
    @discardableResult
    package mutating func remove(_ ticket: QueueTicket) -> QueuedWork? {
        guard let queued = queued(ticket) else { return nil }
        let slot = Int(ticket.slot)
        if queued.band == .realtime { realtimeLanes.remove(ticket.slot) } else { asyncLanes.remove(ticket.slot) }
        if expiryPlaces[slot] >= 0 {
            expiries.remove(at: Int(expiryPlaces[slot]), &expiryPlaces)
            noteExpiry()
        }
        slots[slot].isLive = false
        slots[slot].generation &+= 1
        freeSlots.append(ticket.slot)
        change(queued.band, works: -1, promptTokens: -queued.promptTokens)
        return queued
    }

    /// The waiting work of this ticket; nil when it left.
    package func queued(_ ticket: QueueTicket) -> QueuedWork? {
        let slot = slots[Int(ticket.slot)]
        return slot.isLive && slot.generation == ticket.generation ? slot.queued : nil
    }

    /// The works of one band that wait, in no order of meaning but the same in every process.
    package func waiting(_ band: Band) -> [QueuedWork] {
        slots.filter { $0.isLive && $0.queued.band == band }.map(\.queued)
    }

    // MARK: Rounds

    /// The first work of a lane, as a round comes to it.
    package struct Head: Sendable {
        package let queued: QueuedWork
        fileprivate let place: ModelLanes.Head
    }

    /// Begins a round: `nextHead` then gives the first work of each model that waits in the band, in the band's order.
    package mutating func beginRound(_ band: Band) {
        if band == .realtime { realtimeLanes.beginRound() } else { asyncLanes.beginRound() }
    }

    /// The next of the round. A model whose work stays where it is does not come up again in the same round.
    package mutating func nextHead(_ band: Band) -> Head? {
        let place = band == .realtime ? realtimeLanes.nextHead() : asyncLanes.nextHead()
        return place.map { Head(queued: slots[Int($0.slot)].queued, place: $0) }
    }

    /// The head was taken out: the one behind it joins the round. Nothing may be enqueued during a round.
    package mutating func goOn(after head: Head) {
        if head.queued.band == .realtime {
            realtimeLanes.goOn(head.place.lane)
        } else {
            asyncLanes.goOn(head.place.lane)
        }
    }

    /// Jobs behind the head of a lane, in their order (nearly the earliest; at most `FlowSettings.lookahead`), for one
    /// that is small enough where the head is not.
    package mutating func behind(_ head: Head, into jobs: inout [QueuedWork]) {
        jobs.removeAll(keepingCapacity: true)
        asyncLanes.behind(head.place, limit: settings.lookahead, into: &found)
        for slot in found { jobs.append(slots[Int(slot)].queued) }
    }

    // MARK: Time

    private mutating func noteExpiry() { nextExpiry = expiries.first.map { Instant(nanoseconds: $0.key.major) } }

    /// Takes out one work whose time to live is over.
    package mutating func popExpired(at now: Instant) -> QueuedWork? {
        guard let first = expiries.first, first.key.major <= now.nanoseconds else { return nil }
        return remove(QueueTicket(slot: first.slot, generation: slots[Int(first.slot)].generation))
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
            expiryPlaces[Int(slot)] = -1
            return QueueTicket(slot: slot, generation: slots[Int(slot)].generation)
        }
        slots.append(Slot(queued: queued, generation: 0, isLive: true))
        expiryPlaces.append(-1)
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
}
