import FleetTracking

/// A prompt's shared content as the engine's cache and the scheduler's index see it.
extension Trace {
    /// Bytes of prompt text for one token.
    static let bytesPerToken = 4

    /// One hash for each full block of `blockSize` tokens that lies in the shared content.
    func engineBlocks(of request: TraceRequest, blockSize: Int) -> [UInt64] {
        guard !request.blocks.isEmpty else { return [] }
        let perBlock = max(1, blockTokens / max(1, blockSize))
        let count = min(request.promptTokens / max(1, blockSize), request.blocks.count * perBlock)
        var hashes: [UInt64] = []
        hashes.reserveCapacity(count)
        for index in 0..<count {
            let id = SeededGenerator.mix(request.blocks[index / perBlock])
            hashes.append(SeededGenerator.mix(id &+ UInt64(index % perBlock)))
        }
        return hashes
    }

    /// The hash chain that the gateway would make of the prompt. `own` tells its unshared content from that of others.
    func chain(of request: TraceRequest, own: UInt64) -> [PrefixBlock] {
        guard !request.blocks.isEmpty else { return [] }
        let bytes = request.promptTokens * Trace.bytesPerToken
        var chain: [PrefixBlock] = []
        for end in PrefixHasher.boundaries {
            guard end <= bytes else { break }
            let block = (end - 1) / (blockTokens * Trace.bytesPerToken)
            let id = block < request.blocks.count ? request.blocks[block] : ~own
            chain.append(
                PrefixBlock(hash: SeededGenerator.mix(SeededGenerator.mix(id) ^ UInt64(end)), endByte: end))
        }
        return chain
    }
}
