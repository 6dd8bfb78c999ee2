import FleetTracking

/// What happens next, by time and then by the order in which it was planned.
struct Agenda {
    enum Turn: UInt8 {
        case arrival, middle, enqueue, stepEnd, report, scrape, sample, probe, timer, cancel, claim, backlog
        case faultBegins, faultEnds
    }

    struct Entry: Comparable {
        var at: Instant
        var number: UInt64
        var turn: Turn
        /// A visit, an endpoint or a fault.
        var subject: Int32
        /// An attempt, an engine's life, or a count.
        var detail: Int32

        @inline(__always) static func < (left: Entry, right: Entry) -> Bool {
            left.at.nanoseconds != right.at.nanoseconds
                ? left.at.nanoseconds < right.at.nanoseconds : left.number < right.number
        }
    }

    private var heap = BinaryHeap<Entry>()
    private var added: UInt64 = 0
    /// Entries taken so far.
    private(set) var taken = 0

    mutating func add(_ turn: Turn, at instant: Instant, subject: Int = 0, detail: Int = 0) {
        added += 1
        heap.insert(
            Entry(
                at: instant, number: added, turn: turn, subject: Int32(truncatingIfNeeded: subject),
                detail: Int32(truncatingIfNeeded: detail)))
    }

    mutating func next() -> Entry? {
        guard let entry = heap.popFirst() else { return nil }
        taken += 1
        return entry
    }
}
