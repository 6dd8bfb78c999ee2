import FleetTracking
import Testing

@Suite struct PrefixIndexTests {
    /// A chain with one block for each name: equal names in equal places share blocks.
    static func chain(_ names: [Int]) -> [PrefixBlock] {
        var hash: UInt64 = 7
        return names.enumerated().map { place, name in
            hash = SeededGenerator.mix(hash ^ UInt64(name))
            return PrefixBlock(hash: hash, endByte: (place + 1) * 400)
        }
    }

    static func index(tokens: Int, blocks: Int = 1000) -> PrefixIndex {
        var settings = PrefixIndexSettings()
        settings.assumedTokens = tokens
        settings.maximumBlocks = blocks
        return PrefixIndex(settings: settings)
    }

    @Test func `a match is as long as the shared prefix`() {
        var index = Self.index(tokens: 10_000)
        let session = Self.chain([1, 2, 3, 4, 5])
        #expect(index.matchedBlocks(session) == 0)
        index.insert(session)
        for length in 0...5 { #expect(index.matchedBlocks(Array(session[..<length])) == length) }
        #expect(index.matchedTokens(Self.chain([1, 2, 3, 9, 9, 9])) == 300)
        #expect(index.matchedTokens(Self.chain([2])) == 0)
        #expect(index.tokens == 500)
    }

    @Test func `the least recently used tail goes first`() {
        var index = Self.index(tokens: 600)
        let (first, second) = (Self.chain([1, 1, 1]), Self.chain([1, 2, 2]))
        index.insert(first)
        index.insert(second)
        #expect(index.tokens == 500)
        index.insert(first)
        index.insert(Self.chain([3, 3]))
        // The shared block stays as long as anything hangs on it.
        #expect(index.matchedBlocks(first) == 3)
        #expect(index.matchedBlocks(second) == 2)
        #expect(index.matchedBlocks(Self.chain([3, 3])) == 2)
        #expect(index.tokens == 600)
    }

    @Test func `a chain larger than the cache is kept from its start`() {
        var index = Self.index(tokens: 350)
        index.insert(Self.chain([9, 9]))
        index.insert(Self.chain(Array(1...10)))
        #expect(index.matchedBlocks(Self.chain(Array(1...10))) == 3)
        #expect(index.matchedBlocks(Self.chain([9])) == 0)
        #expect(index.tokens == 300)
    }

    @Test func `the capacity follows the engine and a restart empties it`() {
        var index = Self.index(tokens: 1000)
        index.insert(Self.chain(Array(1...10)))
        index.setCapacity(tokens: 200)
        index.insert(Self.chain([7]))
        #expect(index.tokens <= 200)
        index.removeAll()
        #expect(index.count == 0)
        #expect(index.capacityTokens == 200)
    }

    /// Random prompts against a plain model of the tree: what is held is closed under "the block before", within its
    /// bounds, and a match by bisection equals a match by walking.
    @Test(arguments: 0..<40)
    func `it stays a tree within its bounds`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bounds = (tokens: 500 + generator.below(3000), blocks: 5 + generator.below(40))
        var index = Self.index(tokens: bounds.tokens, blocks: bounds.blocks)
        var seen: [[PrefixBlock]] = []
        for _ in 0..<300 {
            let chain = Self.chain((0..<(1 + generator.below(12))).map { _ in generator.below(2) })
            index.insert(chain)
            seen.append(chain)
            #expect(index.tokens <= bounds.tokens && index.count <= bounds.blocks)
            let fits = min(chain.count, min(bounds.tokens / 100, bounds.blocks))
            #expect(index.matchedBlocks(chain) == fits, "what was sent last is held, as far as it fits")
            let other = seen[generator.below(seen.count)]
            let walked = (1...other.count).prefix { index.matchedBlocks(Array(other[..<$0])) == $0 }.count
            #expect(index.matchedBlocks(other) == walked)
        }
    }
}
