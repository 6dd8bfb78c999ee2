import FleetTracking

/// A prompt's shared content as the engine's cache and the scheduler's index see it.
extension Trace {
    /// One hash for each full block of `blockSize` tokens that lies in the shared content.
    func engineBlocks(of request: TraceRequest, blockSize: Int) -> [UInt64] {
        if !request.chain.isEmpty {
            return engineBlocks(of: request.chain, promptTokens: request.promptTokens, blockSize: max(1, blockSize))
        }
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

    /// An engine's block is named after the first link of the chain that covers all of it. Links cover everything
    /// before their end, so two prompts have an engine's block in common if, and only if, it lies before the end of a
    /// link that they have in common: one that straddles the place where they part belongs to each alone.
    ///
    /// Where a link ends in tokens follows from the trace's bytes per token and not from the prompt's own, which would
    /// put one prefix in different places.
    private func engineBlocks(of chain: [PrefixBlock], promptTokens: Int, blockSize: Int) -> [UInt64] {
        let blockBytes = bytesPerToken * Double(blockSize)
        let covered = Double(chain[chain.count - 1].endByte) / blockBytes
        let count = min(promptTokens / blockSize, Int(covered))
        var hashes: [UInt64] = []
        hashes.reserveCapacity(count)
        var link = 0
        for index in 0..<count {
            let end = Double(index + 1) * blockBytes
            while link < chain.count - 1, Double(chain[link].endByte) < end { link += 1 }
            hashes.append(SeededGenerator.mix(SeededGenerator.mix(chain[link].hash) &+ UInt64(index)))
        }
        return hashes
    }

    /// The hash chain that the gateway would make of the prompt. `own` tells its unshared content from that of others.
    func chain(of request: TraceRequest, own: UInt64) -> [PrefixBlock] {
        if !request.chain.isEmpty { return request.chain }
        guard !request.blocks.isEmpty else { return [] }
        let bytes = Double(request.promptTokens) * bytesPerToken
        let blockBytes = Double(blockTokens) * bytesPerToken
        var chain: [PrefixBlock] = []
        for end in PrefixHasher.boundaries {
            guard Double(end) <= bytes else { break }
            let block = Int(Double(end - 1) / blockBytes)
            let id = block < request.blocks.count ? request.blocks[block] : ~own
            chain.append(
                PrefixBlock(hash: SeededGenerator.mix(SeededGenerator.mix(id) ^ UInt64(end)), endByte: end))
        }
        return chain
    }
}
