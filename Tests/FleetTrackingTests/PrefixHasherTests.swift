import FleetTracking
import Testing

@Suite struct PrefixHasherTests {
    static let key = PrefixKey(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210)

    static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
        var generator = SeededGenerator(seed: seed)
        return (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    }

    static func chain(_ bytes: [UInt8], key: PrefixKey = key, model: Int = 0) -> [PrefixBlock] {
        var hasher = PrefixHasher(key: key, model: ModelID(model))
        bytes.withUnsafeBytes { hasher.absorb($0) }
        return hasher.finish()
    }

    @Test func theChainDoesNotDependOnHowTheBytesAreCut() {
        let text = Self.bytes(70_001, seed: 1)
        let whole = Self.chain(text)
        #expect(whole.count > 20)
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<50 {
            var hasher = PrefixHasher(key: Self.key, model: ModelID(0))
            var offset = 0
            while offset < text.count {
                let length = min(
                    text.count - offset, generator.below(4) == 0 ? generator.below(3000) : generator.below(90))
                text.withUnsafeBytes { hasher.absorb(UnsafeRawBufferPointer(rebasing: $0[offset..<(offset + length)])) }
                offset += length
            }
            #expect(hasher.byteCount == text.count)
            #expect(hasher.finish() == whole)
        }
    }

    @Test func equalPrefixesShareExactlyTheBlocksBeforeTheFirstDifference() {
        let text = Self.bytes(20_000, seed: 3)
        let whole = Self.chain(text)
        for place in [0, 255, 256, 5_000, 19_000] {
            var changed = text
            changed[place] ^= 1
            let other = Self.chain(changed)
            for (left, right) in zip(whole, other) {
                #expect(left.endByte == right.endByte)
                #expect((left.hash == right.hash) == (left.endByte <= place))
            }
        }
        #expect(Self.chain(Array(text[..<9_000])) == whole.filter { $0.endByte <= 9_000 })
    }

    @Test func blocksGrowAndCoverAnyPrompt() {
        let ends = PrefixHasher.boundaries
        #expect(ends.count == PrefixBlock.maximumBlocks)
        #expect(ends[0] == 256)
        #expect(ends[127] > 40 << 20)
        #expect(Self.chain(Self.bytes(300_000, seed: 4)).map(\.endByte) == ends.filter { $0 <= 300_000 })
        for (shorter, longer) in zip(ends, ends.dropFirst()) where shorter > 1 << 16 {
            #expect(Double(longer - shorter) < Double(longer) * 0.08)
        }
        #expect(Self.chain([]).isEmpty)
        #expect(Self.chain(Self.bytes(255, seed: 5)).isEmpty)
        #expect(Self.chain(Self.bytes(256, seed: 5)).count == 1)
    }

    @Test func pastTheLastBlockNothingIsHashed() {
        var hasher = PrefixHasher(key: Self.key, model: ModelID(0))
        let piece = [UInt8](repeating: 7, count: 1 << 20)
        for _ in 0..<80 { piece.withUnsafeBytes { hasher.absorb($0) } }
        #expect(hasher.byteCount == 80 << 20)
        #expect(hasher.finish().map(\.endByte) == PrefixHasher.boundaries.filter { $0 <= 80 << 20 })
    }

    @Test func keyAndModelSeparateChains() {
        let text = Self.bytes(2_000, seed: 6)
        let chains = [
            Self.chain(text), Self.chain(text, model: 1),
            Self.chain(text, key: PrefixKey(high: Self.key.high ^ 1, low: Self.key.low)),
            Self.chain(text, key: PrefixKey(high: Self.key.high, low: Self.key.low ^ 1)),
        ]
        let hashes = chains.flatMap { $0.map(\.hash) }
        #expect(Set(hashes).count == hashes.count)
    }

    @Test func hashesAreSpread() {
        // One set bit in an otherwise empty block must change about half of the digest's bits.
        var total = 0
        let empty = Self.chain([UInt8](repeating: 0, count: 256))[0].hash
        for bit in 0..<2048 {
            var block = [UInt8](repeating: 0, count: 256)
            block[bit / 8] = 1 << (bit % 8)
            let distance = (Self.chain(block)[0].hash ^ empty).nonzeroBitCount
            #expect(distance > 8)
            total += distance
        }
        #expect((60_000...71_000).contains(total))
    }
}
