import FleetTracking

/// Something that has deadlines, on one event loop.
protocol Deadlined: AnyObject {
    func deadlinePassed(now: Instant)
}

/// One deadline at a time of one connection.
final class DeadlineSlot {
    /// When `deadlinePassed` is due; `.distantFuture`: never.
    var deadline = Instant.distantFuture
    /// Nil once the connection is closed: the wheel then forgets this slot, and holds nothing else of it.
    var target: (any Deadlined)?
    /// The tick at which the wheel will look at this slot next.
    fileprivate var place = Int64.max
    /// Stands for a deadline that has passed and was not told yet.
    fileprivate static let due = Instant(nanoseconds: .min)

    init() {}

    /// Whom to tell that its deadline passed. Nil when the slot was set again since the sweep found it due: what was
    /// told before it in the same sweep may have given its connection another request.
    func takeDue() -> (any Deadlined)? {
        guard deadline == DeadlineSlot.due else { return nil }
        deadline = .distantFuture
        return target
    }
}

/// Deadlines of many connections at almost no cost: moving a deadline later is one store.
///
/// A slot stands in one place of the wheel. When that place comes round, the target is told if its deadline has passed,
/// else the slot moves to the place of its deadline. Only a deadline earlier than that place needs a new entry.
/// Precision is one tick: late, never early.
struct DeadlineWheel {
    /// Nanoseconds of one tick.
    static let tick: Int64 = 100_000_000
    private static let places = 1024

    private var entries: [[DeadlineSlot]]
    private var current: Int64

    init(now: Instant) {
        entries = Array(repeating: [], count: DeadlineWheel.places)
        current = now.nanoseconds / DeadlineWheel.tick
    }

    /// Sets a deadline; `.distantFuture` for none.
    @inline(__always)
    mutating func set(_ slot: DeadlineSlot, _ deadline: Instant) {
        slot.deadline = deadline
        if deadline != .distantFuture, deadline.nanoseconds / DeadlineWheel.tick < slot.place { insert(slot) }
    }

    private mutating func insert(_ slot: DeadlineSlot) {
        if slot.deadline == .distantFuture { return }
        let due = slot.deadline.nanoseconds / DeadlineWheel.tick + 1
        // What is further away than one turn is looked at once a turn.
        let place = min(max(due, current + 1), current + Int64(DeadlineWheel.places) - 1)
        guard place < slot.place else { return }
        slot.place = place
        entries[Int(place % Int64(DeadlineWheel.places))].append(slot)
    }

    /// Takes out what is due. The caller goes through it in order and tells each `takeDue()` that its deadline passed.
    mutating func advance(to now: Instant) -> [DeadlineSlot] {
        let target = now.nanoseconds / DeadlineWheel.tick
        var passed: [DeadlineSlot] = []
        while current < target {
            current += 1
            let index = Int(current % Int64(DeadlineWheel.places))
            guard !entries[index].isEmpty else { continue }
            var visited: [DeadlineSlot] = []
            swap(&visited, &entries[index])
            // An entry whose slot has moved on to an earlier place since is out of date.
            for slot in visited where slot.place == current {
                slot.place = .max
                guard slot.target != nil else { continue }
                if slot.deadline <= now {
                    slot.deadline = DeadlineSlot.due
                    passed.append(slot)
                } else {
                    insert(slot)
                }
            }
        }
        return passed
    }
}
