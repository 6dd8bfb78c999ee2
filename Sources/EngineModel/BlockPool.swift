/// The KV cache as blocks: reference counts, and a least-recently-used list of those that nobody references.
///
/// A block that is not referenced keeps its content and its hash until it is taken for something else, which is
/// what makes it a prefix cache. Two sequences that compute the same content at once keep two blocks; the first one
/// is found by others.
struct BlockPool: Sendable {
    private var references: ContiguousArray<Int32>
    /// Hash of a full block whose content others may use; meaningful where `isHashed`.
    private var hashes: ContiguousArray<UInt64>
    private var isHashed: ContiguousArray<Bool>
    private var next: ContiguousArray<Int32>
    private var previous: ContiguousArray<Int32>
    /// Least recently used end of the free list, taken first.
    private var head: Int32
    private var tail: Int32
    private var table: BlockTable
    let count: Int
    private(set) var freeCount: Int

    private static let none: Int32 = -1

    init(count: Int) {
        self.count = count
        freeCount = count
        references = ContiguousArray(repeating: 0, count: count)
        hashes = ContiguousArray(repeating: 0, count: count)
        isHashed = ContiguousArray(repeating: false, count: count)
        next = ContiguousArray((0..<count).map { $0 + 1 < count ? Int32($0 + 1) : BlockPool.none })
        previous = ContiguousArray((0..<count).map { Int32($0) - 1 })
        head = count > 0 ? 0 : BlockPool.none
        tail = Int32(count) - 1
        table = BlockTable(count: count)
    }

    /// The block that holds this content, referenced or not.
    func cached(_ hash: UInt64) -> Int32? { table.block(for: hash) }

    func isFree(_ block: Int32) -> Bool { references[Int(block)] == 0 }

    /// Takes one more reference on a cached block.
    mutating func retain(_ block: Int32) {
        if references[Int(block)] == 0 { unlink(block) }
        references[Int(block)] += 1
    }

    /// Takes the least recently used free block and forgets its content. Nil when none is free.
    mutating func allocate() -> Int32? {
        guard head != BlockPool.none else { return nil }
        let block = head
        unlink(block)
        if isHashed[Int(block)] {
            table.remove(hashes[Int(block)])
            isHashed[Int(block)] = false
        }
        references[Int(block)] = 1
        return block
    }

    /// Drops one reference; the last one puts the block at the most recently used end of the free list.
    mutating func release(_ block: Int32) {
        let index = Int(block)
        references[index] -= 1
        guard references[index] == 0 else { return }
        previous[index] = tail
        next[index] = BlockPool.none
        if tail != BlockPool.none { next[Int(tail)] = block } else { head = block }
        tail = block
        freeCount += 1
    }

    /// Makes a full block findable by others.
    mutating func publish(_ block: Int32, hash: UInt64) {
        guard !isHashed[Int(block)], table.insert(hash, block: block) else { return }
        hashes[Int(block)] = hash
        isHashed[Int(block)] = true
    }

    /// Forgets every cached content that nobody references.
    mutating func forgetFree() {
        var block = head
        while block != BlockPool.none {
            if isHashed[Int(block)] {
                table.remove(hashes[Int(block)])
                isHashed[Int(block)] = false
            }
            block = next[Int(block)]
        }
    }

    private mutating func unlink(_ block: Int32) {
        let index = Int(block)
        let before = previous[index]
        let after = next[index]
        if before != BlockPool.none { next[Int(before)] = after } else { head = after }
        if after != BlockPool.none { previous[Int(after)] = before } else { tail = before }
        freeCount -= 1
    }
}
