/// From a block's hash to the block that holds it: open addressing with linear probing, sized once.
///
/// A lookup costs a few nanoseconds, which a prompt of 8,000 tokens pays 500 times.
struct BlockTable: Sendable {
    private var keys: ContiguousArray<UInt64>
    /// The block, or `empty`.
    private var blocks: ContiguousArray<Int32>
    private let mask: Int
    private static let empty: Int32 = -1

    /// Room for `count` entries at a load of at most one half.
    init(count: Int) {
        var capacity = 16
        while capacity < count * 2 { capacity *= 2 }
        keys = ContiguousArray(repeating: 0, count: capacity)
        blocks = ContiguousArray(repeating: BlockTable.empty, count: capacity)
        mask = capacity - 1
    }

    func block(for hash: UInt64) -> Int32? {
        var position = Int(truncatingIfNeeded: hash) & mask
        while blocks[position] != BlockTable.empty {
            if keys[position] == hash { return blocks[position] }
            position = (position + 1) & mask
        }
        return nil
    }

    /// Adds the entry unless the hash is present. Returns whether it was added.
    mutating func insert(_ hash: UInt64, block: Int32) -> Bool {
        var position = Int(truncatingIfNeeded: hash) & mask
        while blocks[position] != BlockTable.empty {
            if keys[position] == hash { return false }
            position = (position + 1) & mask
        }
        keys[position] = hash
        blocks[position] = block
        return true
    }

    /// Removes the entry, moving back those that had been pushed past it.
    mutating func remove(_ hash: UInt64) {
        var hole = Int(truncatingIfNeeded: hash) & mask
        while keys[hole] != hash || blocks[hole] == BlockTable.empty {
            if blocks[hole] == BlockTable.empty { return }
            hole = (hole + 1) & mask
        }
        var position = hole
        while true {
            position = (position + 1) & mask
            if blocks[position] == BlockTable.empty { break }
            let wanted = Int(truncatingIfNeeded: keys[position]) & mask
            // The entry may fill the hole only if its own place is not between the hole and where it sits now.
            if (position &- wanted) & mask >= (position &- hole) & mask {
                keys[hole] = keys[position]
                blocks[hole] = blocks[position]
                hole = position
            }
        }
        blocks[hole] = BlockTable.empty
    }
}
