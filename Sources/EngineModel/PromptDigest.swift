/// A prompt as the engine needs it: its length, the hashes of its full KV blocks, and the chain to go on from.
///
/// Made from token ids where there is text, or directly from block hashes where a trace has only those.
package struct PromptDigest: Sendable, Equatable {
    package var tokens: Int
    /// One per full block, each covering everything before its end.
    package var blockHashes: [UInt64]
    package var chain: TokenChain
    /// Mixed into block hashes, so that tenants with different salts share no blocks.
    package var salt: UInt64

    /// `seed` stands for the model and the adapter.
    package init(_ tokenIDs: [Int32], seed: UInt64, salt: UInt64 = 0, blockSize: Int = 16) {
        var chain = TokenChain(seed: seed)
        var hashes: [UInt64] = []
        hashes.reserveCapacity(tokenIDs.count / blockSize)
        var untilBlockEnd = blockSize
        for token in tokenIDs {
            chain.append(token)
            untilBlockEnd -= 1
            if untilBlockEnd == 0 {
                hashes.append(chain.blockHash(salt: salt))
                untilBlockEnd = blockSize
            }
        }
        tokens = tokenIDs.count
        blockHashes = hashes
        self.chain = chain
        self.salt = salt
    }

    /// A prompt of which only its length and its shared prefix are known. Blocks beyond `blockHashes` are its own:
    /// nobody else finds them. `seed` tells this prompt from others.
    package init(tokens: Int, blockHashes: [UInt64], seed: UInt64, blockSize: Int = 16) {
        self.tokens = tokens
        chain = TokenChain(seed: seed)
        salt = 0
        var hashes = Array(blockHashes.prefix(tokens / blockSize))
        while hashes.count < tokens / blockSize {
            chain.append(Int32(truncatingIfNeeded: hashes.count))
            hashes.append(chain.blockHash(salt: seed))
        }
        self.blockHashes = hashes
    }

    /// A prompt of which only its length and the blocks that others may share are known, for an engine that generates
    /// no content. `known` may go on past the prompt, into what the answer will leave in the cache. All other blocks
    /// are its own, and `seed` tells them from those of other prompts. Costs nothing per token.
    package init(outline tokens: Int, known: [UInt64], seed: UInt64) {
        self.tokens = tokens
        blockHashes = known
        chain = TokenChain(seed: seed)
        salt = 0
    }
}
