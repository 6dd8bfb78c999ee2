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

    // MARK: Correction by what engines found

    /// A prompt of 400 tokens.
    static func prompt(_ number: Int) -> [PrefixBlock] { chain([1000 + number, 1, 2, 3]) }

    /// Prompts that were each used once, the first ones longest ago.
    static func filled(_ prompts: Int, capacity: Int) -> PrefixIndex {
        var index = index(tokens: capacity)
        for prompt in 0..<prompts { index.insert(Self.prompt(prompt)) }
        return index
    }

    @Test func `a miss says that all that was used longer ago is gone too`() {
        var index = Self.filled(20, capacity: 10_000)
        let tenth = index.match(Self.prompt(10))
        #expect(tenth.tokens == 400)
        index.insert(Self.prompt(10))
        index.correct(tenth, found: 0)
        for prompt in 0..<10 { #expect(index.matchedBlocks(Self.prompt(prompt)) == 0, "prompt \(prompt)") }
        // The prompt itself was computed anew, the later ones are still there.
        for prompt in 10..<20 { #expect(index.matchedBlocks(Self.prompt(prompt)) == 4, "prompt \(prompt)") }
        // 4000 of 10000 tokens were left: half way there.
        #expect(abs(index.share - 0.7) < 1e-9)
        for prompt in 100..<150 { index.insert(Self.prompt(prompt)) }
        #expect(index.tokens <= 7000 && index.tokens > 6000)
    }

    @Test func `a miss of what was only just sent says nothing`() {
        var index = Self.filled(20, capacity: 10_000)
        let last = index.match(Self.prompt(19))
        index.correct(last, found: 0)
        #expect(index.tokens == 8000)
        #expect(index.share == 1)
    }

    @Test func `hits let the share grow again, up to the whole`() {
        var index = Self.filled(20, capacity: 10_000)
        index.correct(index.match(Self.prompt(10)), found: 0)
        let share = index.share
        #expect(share < 1)
        let hit = index.match(Self.prompt(15))
        #expect(hit.tokens == 400)
        index.correct(hit, found: 380)
        #expect(index.share > share)
        for _ in 0..<1000 { index.correct(hit, found: 400) }
        #expect(index.share == 1)
    }

    @Test func `nothing said can shrink it to nothing or break it`() {
        var index = Self.filled(20, capacity: 10_000)
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<5000 {
            let chain = Self.prompt(generator.below(60))
            let match = index.match(chain)
            index.insert(chain)
            index.pass(tokens: generator.below(500))
            index.correct(match, found: generator.below(3) == 0 ? .max / 2 : generator.below(500))
            #expect(index.tokens <= 10_000 && index.tokens == index.count * 100)
        }
        #expect(index.share >= 1.0 / 16 && index.share <= 1)
    }

    @Test func `a sibling's miss says nothing, however long its answer took`() {
        var index = PrefixIndex()
        index.setCapacity(tokens: 10_000)
        index.insert(Self.prompt(1))
        let sibling = index.match(Self.prompt(1))
        index.insert(Self.prompt(1))
        index.pass(tokens: 8000)
        index.correct(sibling, found: 0)
        #expect(index.share == 1)
        #expect(index.matchedBlocks(Self.prompt(1)) > 0)
    }

    @Test func `what was sent before the engine restarted says nothing of its new cache`() {
        var index = PrefixIndex()
        index.setCapacity(tokens: 10_000)
        index.insert(Self.prompt(1))
        index.pass(tokens: 4000)
        let early = index.match(Self.prompt(1))
        index.removeAll()
        index.correct(early, found: 0)
        #expect(index.share == 1)
    }
}
