/// What orders waiting works: the smaller key goes first.
struct WaitingKey: Comparable, Sendable {
    var major: Int64
    var minor: UInt64

    static func < (left: WaitingKey, right: WaitingKey) -> Bool {
        left.major < right.major || (left.major == right.major && left.minor < right.minor)
    }
}

/// A priority queue of slots, each at most once, out of which any slot can be taken.
///
/// Where each slot stands is written to an array by slot that the owner lends to every change: heaps that never share a
/// slot share one array.
struct WaitingHeap: Sendable {
    struct Entry: Sendable {
        var key: WaitingKey
        var slot: Int32
    }

    private(set) var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }
    var first: Entry? { entries.first }

    mutating func insert(_ key: WaitingKey, slot: Int32, _ places: inout [Int32]) {
        entries.append(Entry(key: key, slot: slot))
        rise(entries.count - 1, &places)
    }

    /// Takes out the slot that stands at this place.
    mutating func remove(at place: Int, _ places: inout [Int32]) {
        let last = entries.removeLast()
        guard place < entries.count else { return }
        entries[place] = last
        if place > 0, last.key < entries[(place - 1) / 2].key { rise(place, &places) } else { sink(place, &places) }
    }

    /// Forgets a buffer that one burst made large. The heap must be empty.
    mutating func shrink() { if entries.capacity > 64 { entries = [] } }

    private mutating func rise(_ start: Int, _ places: inout [Int32]) {
        let entry = entries[start]
        var place = start
        while place > 0 {
            let parent = (place - 1) / 2
            guard entry.key < entries[parent].key else { break }
            put(entries[parent], place, &places)
            place = parent
        }
        put(entry, place, &places)
    }

    private mutating func sink(_ start: Int, _ places: inout [Int32]) {
        let entry = entries[start]
        var place = start
        while true {
            var child = 2 * place + 1
            guard child < entries.count else { break }
            if child + 1 < entries.count, entries[child + 1].key < entries[child].key { child += 1 }
            guard entries[child].key < entry.key else { break }
            put(entries[child], place, &places)
            place = child
        }
        put(entry, place, &places)
    }

    private mutating func put(_ entry: Entry, _ place: Int, _ places: inout [Int32]) {
        entries[place] = entry
        places[Int(entry.slot)] = Int32(truncatingIfNeeded: place)
    }
}
