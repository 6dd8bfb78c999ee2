/// Secret of the prefix chain, drawn once per process, so that no client can build two prompts that share blocks.
package struct PrefixKey: Sendable, Hashable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// Hashes the bytes of a prompt into a chain of `PrefixBlock`s: equal prefixes of one model give equal blocks.
///
/// A running keyed hash over 64-byte stripes (four lanes of 64×64→128-bit multiplications, the construction of wyhash
/// by Wang Yi) is read off at fixed byte positions. The first block ends at byte 256; every block is a thirteenth
/// longer than the one before, its end rounded up to whole stripes, so that 128 blocks cover more than 40 MiB and the
/// length of a long match is known to within 8 %. Bytes after the last whole block, or past the 128th, count for nothing: engines
/// reuse whole blocks only. The result does not depend on how the bytes are cut into `absorb` calls.
package struct PrefixHasher: Sendable {
    private var lanes: (UInt64, UInt64, UInt64, UInt64)
    private let secrets: (UInt64, UInt64, UInt64, UInt64)
    /// Bytes that do not fill a stripe yet, as eight words in memory order.
    private var pending: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
    private var pendingCount = 0
    /// Bytes in whole stripes so far.
    private var hashedBytes = 0
    private var nextBoundary = PrefixHasher.firstBlock
    private var blockBytes = PrefixHasher.firstBlock
    private var blocks: [PrefixBlock] = []

    /// Bytes absorbed so far.
    package var byteCount: Int { hashedBytes + pendingCount }

    package static let firstBlock = 256
    private static let stripe = 64
    private static let growthDivisor = 13

    package init(key: PrefixKey, model: ModelID) {
        var generator = SeededGenerator(seed: key.high ^ SeededGenerator.mix(UInt64(bitPattern: Int64(model.index))))
        func secret(_ generator: inout SeededGenerator) -> UInt64 {
            // Odd, so that no lane's secret is zero and a product cannot be forced to zero by chance of the key.
            SeededGenerator.mix(generator.next() ^ key.low) | 1
        }
        secrets = (secret(&generator), secret(&generator), secret(&generator), secret(&generator))
        lanes = (generator.next() ^ key.low, generator.next(), generator.next() ^ key.high, generator.next())
    }

    /// Takes the next bytes of the prompt.
    package mutating func absorb(_ bytes: UnsafeRawBufferPointer) {
        guard var cursor = bytes.baseAddress else { return }
        var remaining = bytes.count
        if pendingCount > 0 {
            let taken = min(PrefixHasher.stripe - pendingCount, remaining)
            fillPending(UnsafeRawBufferPointer(start: cursor, count: taken))
            cursor += taken
            remaining -= taken
            guard pendingCount == PrefixHasher.stripe else { return }
            pendingCount = 0
            let words = pending
            withUnsafeBytes(of: words) { stripe in
                if let base = stripe.baseAddress { absorbStripes(base, count: 1) }
            }
        }
        let stripes = remaining / PrefixHasher.stripe
        if stripes > 0 {
            absorbStripes(cursor, count: stripes)
            cursor += stripes * PrefixHasher.stripe
            remaining -= stripes * PrefixHasher.stripe
        }
        if remaining > 0 { fillPending(UnsafeRawBufferPointer(start: cursor, count: remaining)) }
    }

    /// The blocks of everything absorbed. More bytes may follow; a later call returns the longer chain.
    package mutating func finish() -> [PrefixBlock] { blocks }

    private mutating func fillPending(_ bytes: UnsafeRawBufferPointer) {
        let offset = pendingCount
        withUnsafeMutableBytes(of: &pending) { room in
            UnsafeMutableRawBufferPointer(rebasing: room[offset..<(offset + bytes.count)]).copyMemory(from: bytes)
        }
        pendingCount += bytes.count
    }

    /// Hashes whole stripes, reading the digest off wherever a block ends (blocks are whole stripes long).
    private mutating func absorbStripes(_ start: UnsafeRawPointer, count: Int) {
        var cursor = start
        var left = count
        while left > 0 {
            guard blocks.count < PrefixBlock.maximumBlocks else {
                hashedBytes += left * PrefixHasher.stripe
                return
            }
            let untilBoundary = (nextBoundary - hashedBytes) / PrefixHasher.stripe
            let run = min(left, untilBoundary)
            mixRun(cursor, count: run)
            cursor += run * PrefixHasher.stripe
            left -= run
            hashedBytes += run * PrefixHasher.stripe
            if hashedBytes == nextBoundary { closeBlock() }
        }
    }

    private mutating func mixRun(_ start: UnsafeRawPointer, count: Int) {
        var (first, second, third, fourth) = lanes
        let (firstKey, secondKey, thirdKey, fourthKey) = secrets
        var cursor = start
        // Key and state join every other lane by addition: were all four alike, the compiler would put the lanes into
        // vector registers, which have no full multiplication, and take each word out again.
        for _ in 0..<count {
            first = PrefixHasher.multiply(word(cursor, 0) ^ firstKey, word(cursor, 8) &+ first)
            second = PrefixHasher.multiply(word(cursor, 16) &+ secondKey, word(cursor, 24) ^ second)
            third = PrefixHasher.multiply(word(cursor, 32) ^ thirdKey, word(cursor, 40) &+ third)
            fourth = PrefixHasher.multiply(word(cursor, 48) &+ fourthKey, word(cursor, 56) ^ fourth)
            cursor += PrefixHasher.stripe
        }
        lanes = (first, second, third, fourth)
    }

    private mutating func closeBlock() {
        let left = PrefixHasher.multiply(lanes.0 ^ secrets.2, lanes.1 ^ UInt64(hashedBytes))
        let right = PrefixHasher.multiply(lanes.2 ^ secrets.0, lanes.3 ^ secrets.1)
        if blocks.isEmpty { blocks.reserveCapacity(32) }
        blocks.append(PrefixBlock(hash: SeededGenerator.mix(left ^ right ^ secrets.3), endByte: hashedBytes))
        blockBytes += blockBytes / PrefixHasher.growthDivisor
        nextBoundary = PrefixHasher.boundary(after: nextBoundary, adding: blockBytes)
    }

    private static func boundary(after end: Int, adding bytes: Int) -> Int {
        (end + bytes + stripe - 1) / stripe * stripe
    }

    private static func multiply(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    private func word(_ cursor: UnsafeRawPointer, _ offset: Int) -> UInt64 {
        UInt64(littleEndian: cursor.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }

    /// Where block `index` ends, in bytes: the same for every prompt. At most `PrefixBlock.maximumBlocks` of them.
    package static let boundaries: [Int] = {
        var ends: [Int] = []
        var bytes = firstBlock
        var end = firstBlock
        for _ in 0..<PrefixBlock.maximumBlocks {
            ends.append(end)
            bytes += bytes / growthDivisor
            end = boundary(after: end, adding: bytes)
        }
        return ends
    }()
}
