/// What one engine's prefix cache is believed to hold: the blocks of the prompts sent there, least recently used out
/// first, bounded by the engine's own cache in tokens and by a number of blocks.
///
/// The cache also holds answers and what others send, so prompts have only a share of it. What engines say that they
/// found (`cached_tokens`) corrects that share: see `correct`.
///
/// Blocks form a tree (a block's parent is the block before it). Only leaves are evicted, as engines free the tail of a
/// sequence first; therefore a held block's whole chain is held and a match length is found by bisection. Memory: at
/// most about 50 bytes for each block, so 3 MB per endpoint at the default bound, and less where the engine's cache is
/// smaller (an H100 with an 8B model: 450000 tokens, at most 7000 blocks).
package struct PrefixIndex: Sendable {
    private struct Node {
        var hash: UInt64
        var parent: Int32
        var children: Int32
        var tokens: Int32
        /// On the `clock`.
        var lastUse: UInt32
        /// Neighbours in the list of leaves, or the next free node.
        var older: Int32
        var newer: Int32
    }

    private var table = SlotTable()
    private var nodes: [Node] = []
    private var freeNode: Int32 = -1
    private var oldestLeaf: Int32 = -1
    private var newestLeaf: Int32 = -1
    /// Counts what the engine had to cache, in units of `unit` tokens, and every use; wraps.
    private var clock: UInt32 = 0
    /// Counts the times that all was forgotten: a match from before says nothing of what is held now.
    private var generation: UInt32 = 0
    /// Part of the engine's cache that these prompts have.
    package private(set) var share = 1.0
    private let settings: PrefixIndexSettings
    /// Tokens the engine's cache holds.
    package private(set) var capacityTokens: Int
    /// Tokens of all blocks held here.
    package private(set) var tokens = 0

    package init(settings: PrefixIndexSettings = PrefixIndexSettings()) {
        self.settings = settings
        capacityTokens = max(0, settings.assumedTokens)
    }

    /// Blocks held.
    package var count: Int { table.count }

    /// How many blocks from the start of this chain are held. O(log blocks).
    package func matchedBlocks(_ chain: [PrefixBlock]) -> Int {
        guard let first = chain.first, table.contains(first.hash) else { return 0 }
        var held = 1
        var beyond = chain.count
        while held < beyond {
            let middle = (held + beyond + 1) / 2
            if table.contains(chain[middle - 1].hash) { held = middle } else { beyond = middle - 1 }
        }
        return held
    }

    /// How many tokens from the start of this chain are held.
    package func matchedTokens(_ chain: [PrefixBlock]) -> Int {
        let held = matchedBlocks(chain)
        return held == 0 ? 0 : chain[held - 1].endByte / max(1, settings.bytesPerToken)
    }

    /// The engine said how much its cache holds (blocks × block size). A smaller cache is shrunk to step by step, as
    /// prompts come.
    package mutating func setCapacity(tokens: Int) { capacityTokens = max(0, tokens) }

    /// The engine's cache is empty (it restarted).
    package mutating func removeAll() {
        let (capacity, share, generation) = (capacityTokens, share, generation)
        self = PrefixIndex(settings: settings)
        capacityTokens = capacity
        self.share = share
        self.generation = generation &+ 1
    }

    // MARK: Correction

    /// Tokens in one tick of the clock; 2³² of them are a month at 100,000 tokens a second.
    private static let unit = 64
    /// A miss sooner than after this part of the cache was filled is none: the prefix was still being computed, or the
    /// engine keeps it from this request.
    private static let quickMiss = 1.0 / 16
    private static let leastShare = 1.0 / 16

    private var believedCapacity: Int { Int(Double(capacityTokens) * share) }

    private func age(of use: UInt32) -> UInt32 { clock &- use }

    /// The engine cached so many tokens that are in none of the prompts' blocks: answers.
    package mutating func pass(tokens: Int) {
        clock &+= UInt32(truncatingIfNeeded: max(0, tokens) / PrefixIndex.unit)
    }

    /// What is believed of a chain before it is sent, for `correct`.
    package func match(_ chain: [PrefixBlock]) -> PrefixMatch {
        let held = matchedBlocks(chain)
        guard held > 0, let slot = table.slot(of: chain[held - 1].hash) else { return PrefixMatch() }
        var match = PrefixMatch(
            tokens: chain[held - 1].endByte / max(1, settings.bytesPerToken), usedAt: nodes[slot].lastUse)
        (match.sentAt, match.generation) = (clock, generation)
        return match
    }

    /// The engine said how many of a prompt's tokens it found. `match`: what was believed when it was sent.
    ///
    /// Found less: the engine gave up what was last used then, so everything that was not used since is gone too, and
    /// what is left here is the size that these prompts really have. Found all: the share grows again, slowly.
    package mutating func correct(_ match: PrefixMatch, found: Int) {
        guard capacityTokens > 0, match.tokens == 0 || match.generation == generation else { return }
        let slack = max(4 * PrefixIndex.unit, match.tokens / 8)
        guard found + slack < match.tokens else {
            let growth = found > match.tokens + slack ? 0.02 : match.tokens > 0 ? 0.002 : 0
            share = min(1, share + growth)
            return
        }
        let limit = age(of: match.usedAt)
        // Up to its sending: what the engine cached while it answered could not push the prefix out any more.
        let cachedSince = Double(match.sentAt &- match.usedAt) * Double(PrefixIndex.unit)
        guard cachedSince > PrefixIndex.quickMiss * Double(believedCapacity) else { return }
        var evictionsLeft = settings.maximumBlocks
        while oldestLeaf >= 0, evictionsLeft > 0, age(of: nodes[Int(oldestLeaf)].lastUse) >= limit {
            evictionsLeft -= 1
            let victim = oldestLeaf
            unlink(victim)
            remove(victim)
        }
        let left = Double(tokens) / Double(capacityTokens)
        if left < share { share = max(PrefixIndex.leastShare, (share + left) / 2) }
    }

    /// A prompt with this chain was sent to the engine. O(blocks); a chain larger than the cache is kept from its start
    /// as far as it fits.
    package mutating func insert(_ chain: [PrefixBlock]) {
        guard !chain.isEmpty else { return }
        clock &+= 1
        let held = matchedBlocks(chain)
        var pinned: Int32 = -1
        if held > 0, let slot = table.slot(of: chain[held - 1].hash) {
            pinned = Int32(truncatingIfNeeded: slot)
            nodes[slot].lastUse = clock
            if nodes[slot].children == 0 { unlink(pinned) }
            // Counted as having one more child: it must not be evicted to make room for its own.
            nodes[slot].children += 1
        }
        var tail = pinned
        var evictionsLeft = 4 * chain.count + 64
        var startByte = held > 0 ? chain[held - 1].endByte : 0
        for block in chain[held...] {
            let size = max(0, block.endByte - startByte) / max(1, settings.bytesPerToken)
            guard makeRoom(tokens: size, evictionsLeft: &evictionsLeft) else { break }
            tail = add(block, tokens: size, parent: tail)
            startByte = block.endByte
        }
        let cached = startByte - (held > 0 ? chain[held - 1].endByte : 0)
        pass(tokens: cached / max(1, settings.bytesPerToken))
        if pinned >= 0 { nodes[Int(pinned)].children -= 1 }
        if tail >= 0, nodes[Int(tail)].children == 0 { linkNewest(tail) }
    }

    private mutating func makeRoom(tokens size: Int, evictionsLeft: inout Int) -> Bool {
        while tokens + size > believedCapacity || table.count >= settings.maximumBlocks {
            guard oldestLeaf >= 0, evictionsLeft > 0 else { return false }
            evictionsLeft -= 1
            let victim = oldestLeaf
            unlink(victim)
            remove(victim)
        }
        return true
    }

    private mutating func add(_ block: PrefixBlock, tokens size: Int, parent: Int32) -> Int32 {
        let node = Node(
            hash: block.hash, parent: parent, children: 0, tokens: Int32(clamping: size), lastUse: clock,
            older: -1, newer: -1)
        var slot = freeNode
        if slot >= 0 {
            freeNode = nodes[Int(slot)].older
            nodes[Int(slot)] = node
        } else {
            slot = Int32(truncatingIfNeeded: nodes.count)
            nodes.append(node)
        }
        table.set(block.hash, slot: Int(slot))
        if parent >= 0 { nodes[Int(parent)].children += 1 }
        tokens += Int(node.tokens)
        return slot
    }

    /// Takes out a node that is in no list and has no children. Its parent may become a leaf.
    private mutating func remove(_ slot: Int32) {
        let node = nodes[Int(slot)]
        table.remove(node.hash)
        tokens -= Int(node.tokens)
        nodes[Int(slot)].older = freeNode
        freeNode = slot
        guard node.parent >= 0 else { return }
        let parent = Int(node.parent)
        nodes[parent].children -= 1
        guard nodes[parent].children == 0 else { return }
        // A parent is as old as its last child unless a prompt ended there since.
        if age(of: nodes[parent].lastUse) < age(of: node.lastUse) {
            linkNewest(node.parent)
        } else {
            nodes[parent].lastUse = node.lastUse
            linkOldest(node.parent)
        }
    }

    private mutating func linkNewest(_ slot: Int32) {
        nodes[Int(slot)].older = newestLeaf
        nodes[Int(slot)].newer = -1
        if newestLeaf >= 0 { nodes[Int(newestLeaf)].newer = slot } else { oldestLeaf = slot }
        newestLeaf = slot
    }

    private mutating func linkOldest(_ slot: Int32) {
        nodes[Int(slot)].newer = oldestLeaf
        nodes[Int(slot)].older = -1
        if oldestLeaf >= 0 { nodes[Int(oldestLeaf)].older = slot } else { newestLeaf = slot }
        oldestLeaf = slot
    }

    private mutating func unlink(_ slot: Int32) {
        let (older, newer) = (nodes[Int(slot)].older, nodes[Int(slot)].newer)
        if older >= 0 { nodes[Int(older)].newer = newer } else { oldestLeaf = newer }
        if newer >= 0 { nodes[Int(newer)].older = older } else { newestLeaf = older }
    }
}

/// What an index believed of a prompt.
package struct PrefixMatch: Sendable, Equatable {
    /// From the start, held.
    package var tokens = 0
    /// When the last of them was used, on the index's clock.
    var usedAt: UInt32 = 0
    /// On the same clock: when it was matched.
    var sentAt: UInt32 = 0
    var generation: UInt32 = 0

    package init(tokens: Int = 0) { self.tokens = tokens }

    init(tokens: Int, usedAt: UInt32) {
        self.tokens = tokens
        self.usedAt = usedAt
    }
}
