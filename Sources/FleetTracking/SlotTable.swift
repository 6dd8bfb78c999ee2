/// A hash table from 64-bit keys to small numbers: open addressing, one cache line for most look-ups, and an order that
/// is the same in every process.
///
/// Keys need not be random: they are spread by a multiplication. Nothing that a client chooses may be a key unmixed.
package struct SlotTable: Sendable {
    private var keys: [UInt64]
    /// -1: empty.
    private var slots: [Int32]
    private var shift: Int
    package private(set) var count = 0

    package init(minimumCapacity: Int = 8) {
        var size = 16
        while size < minimumCapacity * 2 { size *= 2 }
        keys = Array(repeating: 0, count: size)
        slots = Array(repeating: -1, count: size)
        shift = 64 - size.trailingZeroBitCount
    }

    /// The slot stored for this key; nil when there is none.
    package func slot(of key: UInt64) -> Int? {
        let mask = keys.count - 1
        var place = home(of: key)
        while slots[place] >= 0 {
            if keys[place] == key { return Int(slots[place]) }
            place = (place + 1) & mask
        }
        return nil
    }

    package func contains(_ key: UInt64) -> Bool { slot(of: key) != nil }

    /// Stores a slot (0…2³¹−1) for a key, replacing an earlier one.
    package mutating func set(_ key: UInt64, slot: Int) {
        if (count + 1) * 2 > keys.count { grow() }
        let mask = keys.count - 1
        var place = home(of: key)
        while slots[place] >= 0 {
            if keys[place] == key { break }
            place = (place + 1) & mask
        }
        if slots[place] < 0 { count += 1 }
        keys[place] = key
        slots[place] = Int32(truncatingIfNeeded: slot)
    }

    /// Takes a key out; the entries behind it move up, so that no tombstones gather.
    package mutating func remove(_ key: UInt64) {
        let mask = keys.count - 1
        var hole = home(of: key)
        while true {
            guard slots[hole] >= 0 else { return }
            if keys[hole] == key { break }
            hole = (hole + 1) & mask
        }
        count -= 1
        var place = (hole + 1) & mask
        while slots[place] >= 0 {
            // An entry may fill the hole unless its home lies (cyclically) behind the hole.
            let distanceFromHome = (place - home(of: keys[place])) & mask
            if distanceFromHome >= (place - hole) & mask {
                keys[hole] = keys[place]
                slots[hole] = slots[place]
                hole = place
            }
            place = (place + 1) & mask
        }
        slots[hole] = -1
    }

    private func home(of key: UInt64) -> Int { Int(truncatingIfNeeded: (key &* 0x9e37_79b9_7f4a_7c15) >> shift) }

    private mutating func grow() {
        var larger = SlotTable(minimumCapacity: keys.count)
        for place in keys.indices where slots[place] >= 0 { larger.set(keys[place], slot: Int(slots[place])) }
        self = larger
    }
}
