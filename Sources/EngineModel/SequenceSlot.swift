/// One sequence inside the engine. Slots and their arrays are used again.
///
/// waiting → running (admitted) → gone (ended, aborted); running → waiting (preempted).
struct SequenceSlot: Sendable {
    enum Phase: Sendable {
        case vacant
        case waiting
        case running
        /// Aborted while its step is in flight; leaves at the step's end.
        case leaving
    }

    // What every step reads and writes comes first, so that it lies in one cache line.
    var phase = Phase.vacant
    /// Whether its prompt still counts in the tokens to prefill.
    var isPrefilling = false
    var wasPreempted = false
    var generation: UInt32 = 0
    /// Prompt and generated tokens.
    var length = 0
    /// Tokens whose KV is computed, those of the step in flight included.
    var computed = 0
    /// Tokens that the step in flight computes; 0: the step leaves it out.
    var scheduled = 0
    var promptTokens = 0
    var maximumTokens = 0
    /// Tokens that its blocks hold.
    var room = 0
    /// Computed tokens at which its next block can be found by others.
    var nextPublish = Int.max
    var arrival: UInt64 = 0
    var priority = 0
    var minimumTokens = 0
    var ignoresEnd = false
    var dependsOnPosition = false
    var stopTokens: [Int32] = []
    var sampling: UInt64 = 0
    var salt: UInt64 = 0
    var chain = TokenChain(seed: 0)
    var cachedTokens = 0
    /// Of the prompt's full blocks; of an outline, those that others may share.
    var promptHashes: [UInt64] = []
    /// Hashes of the full blocks after the prompt's own.
    var outputHashes: ContiguousArray<UInt64> = []
    /// Its leading blocks, those whose content was offered to others; all further ones in `room` are nameless.
    var blocks: ContiguousArray<Int32> = []

    var published: Int { blocks.count }

    var outputTokens: Int { length - promptTokens }

    func hash(ofBlock index: Int) -> UInt64 {
        if index < promptHashes.count { return promptHashes[index] }
        let output = index - promptHashes.count
        // Of an outline no content is generated: the block's place stands for it.
        return output < outputHashes.count
            ? outputHashes[output] : fold(chain.digest ^ UInt64(index), 0xb492_b66f_be98_f273)
    }

    /// The greatest capacity that a vacant slot keeps for its next sequence.
    static let keptCapacity = 1024

    mutating func vacate() {
        phase = .vacant
        generation &+= 1
        promptHashes = []
        stopTokens = []
        blocks.removeAll(keepingCapacity: blocks.capacity <= SequenceSlot.keptCapacity)
        outputHashes.removeAll(keepingCapacity: outputHashes.capacity <= SequenceSlot.keptCapacity)
    }
}
