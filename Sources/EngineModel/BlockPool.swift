/// The KV cache as blocks: reference counts, and a least-recently-used queue of those that nobody references.
///
/// A block that is not referenced keeps its content and its hash until it is taken for something else, which is
/// what makes it a prefix cache. Two sequences that compute the same content at once keep two blocks; the first one
/// is found by others.
///
/// Only blocks that can be found have a name here. All others are alike, so they are only counted: taking and freeing
/// the blocks of a private prompt costs the same however long it is.
struct BlockPool: Sendable {
    /// A named block.
    private struct Block {
        var hash: UInt64 = 0
        var references: Int32 = 0
        /// The entry of the queue that stands for the block; earlier ones are void.
        var ticket: UInt32 = 0
    }

    /// A named block (`block`, `ticket`), or a run of `ticket` nameless ones (`block` is `nameless`).
    private struct Entry {
        var block: Int32
        var ticket: UInt32
    }

    private var blocks: ContiguousArray<Block>
    private var freeNames: ContiguousArray<Int32>
    /// What is free, least recently used first: `length` entries from `head` on, around the end. Its size is a power
    /// of two. A block that is used again leaves a void entry behind.
    private var ring: ContiguousArray<Entry>
    private var head = 0
    private var length = 0
    private var tickets: UInt32 = 0
    private var table: BlockTable
    let count: Int
    private(set) var freeCount: Int

    /// Stands for a block that nobody can find.
    static let nameless: Int32 = -1

    init(count: Int) {
        self.count = count
        freeCount = count
        blocks = ContiguousArray(repeating: Block(), count: count)
        freeNames = ContiguousArray((0..<Int32(count)).reversed())
        var size = 16
        while size < count * 2 { size *= 2 }
        ring = ContiguousArray(repeating: Entry(block: BlockPool.nameless, ticket: 0), count: size)
        table = BlockTable(count: count)
        appendNameless(count)
    }

    /// The block that holds this content, referenced or not.
    func cached(_ hash: UInt64) -> Int32? { table.block(for: hash) }

    func isFree(_ block: Int32) -> Bool { blocks[Int(block)].references == 0 }

    /// Takes one more reference on a cached block.
    mutating func retain(_ block: Int32) {
        if blocks[Int(block)].references == 0 {
            // No entry has an odd ticket: the one that stood for it is void from here on.
            blocks[Int(block)].ticket |= 1
            freeCount -= 1
        }
        blocks[Int(block)].references += 1
    }

    /// Takes the `missing` least recently used free blocks and forgets their content. At least that many must be free.
    mutating func allocate(_ missing: Int) {
        precondition(missing <= freeCount, "\(missing) blocks of \(freeCount) free ones")
        freeCount -= missing
        var left = missing
        while left > 0 {
            let entry = ring[head]
            if entry.block == BlockPool.nameless {
                let taken = min(left, Int(entry.ticket))
                left -= taken
                ring[head].ticket -= UInt32(taken)
                if taken < entry.ticket { return }
            } else if stands(entry) {
                forget(entry.block)
                left -= 1
            }
            head = (head + 1) & (ring.count - 1)
            length -= 1
        }
    }

    /// Gives back a sequence's blocks: `list` in order from its beginning, then `rest` nameless ones. Those at the end
    /// of a context are evicted before its beginning.
    mutating func release(_ list: ContiguousArray<Int32>, rest: Int) {
        if length + list.count + 1 > ring.count { dropVoidEntries() }
        appendNameless(rest)
        freeCount += rest
        for block in list.reversed() {
            guard block != BlockPool.nameless else {
                appendNameless(1)
                freeCount += 1
                continue
            }
            let index = Int(block)
            blocks[index].references -= 1
            guard blocks[index].references == 0 else { continue }
            tickets &+= 2
            blocks[index].ticket = tickets
            append(Entry(block: block, ticket: tickets))
            freeCount += 1
        }
    }

    /// Makes a full block in use findable by others. Returns its name; `nameless` when its content is found elsewhere
    /// already.
    mutating func publish(hash: UInt64) -> Int32 {
        guard let name = freeNames.last, table.insert(hash, block: name) else { return BlockPool.nameless }
        freeNames.removeLast()
        blocks[Int(name)].hash = hash
        blocks[Int(name)].references = 1
        blocks[Int(name)].ticket |= 1
        return name
    }

    /// Forgets every cached content that nobody references.
    mutating func forgetFree() {
        for place in 0..<length {
            let slot = (head + place) & (ring.count - 1)
            let entry = ring[slot]
            guard entry.block != BlockPool.nameless, stands(entry) else { continue }
            forget(entry.block)
            ring[slot] = Entry(block: BlockPool.nameless, ticket: 1)
        }
    }

    // MARK: Parts

    /// Whether the entry of a named block is not void.
    private func stands(_ entry: Entry) -> Bool { blocks[Int(entry.block)].ticket == entry.ticket }

    /// The content is gone and the name free; the block itself is nameless from here on.
    private mutating func forget(_ block: Int32) {
        table.remove(blocks[Int(block)].hash)
        blocks[Int(block)].ticket |= 1
        freeNames.append(block)
    }

    private mutating func append(_ entry: Entry) {
        ring[(head + length) & (ring.count - 1)] = entry
        length += 1
    }

    private mutating func appendNameless(_ run: Int) {
        guard run > 0 else { return }
        let last = (head + length - 1) & (ring.count - 1)
        if length > 0, ring[last].block == BlockPool.nameless {
            ring[last].ticket += UInt32(run)
        } else {
            append(Entry(block: BlockPool.nameless, ticket: UInt32(run)))
        }
    }

    /// Keeps the entries that stand for something: no more of them than there are blocks, half of the ring.
    private mutating func dropVoidEntries() {
        let mask = ring.count - 1
        var kept = 0
        for place in 0..<length {
            let entry = ring[(head + place) & mask]
            let isLive = entry.block == BlockPool.nameless ? entry.ticket > 0 : stands(entry)
            guard isLive else { continue }
            ring[(head + kept) & mask] = entry
            kept += 1
        }
        length = kept
    }
}
