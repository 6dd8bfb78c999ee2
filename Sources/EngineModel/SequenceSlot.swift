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

    var phase = Phase.vacant
    var generation: UInt32 = 0
    var arrival: UInt64 = 0
    var priority = 0
    var promptTokens = 0
    var maximumTokens = 0
    var minimumTokens = 0
    var ignoresEnd = false
    var dependsOnPosition = false
    /// Whether its prompt still counts in the tokens to prefill.
    var isPrefilling = false
    var wasPreempted = false
    var stopTokens: [Int32] = []
    var sampling: UInt64 = 0
    var salt: UInt64 = 0
    var chain = TokenChain(seed: 0)
    /// Prompt and generated tokens.
    var length = 0
    /// Tokens whose KV is computed, those of the step in flight included.
    var computed = 0
    /// Tokens that the step in flight computes; 0: the step leaves it out.
    var scheduled = 0
    var cachedTokens = 0
    var promptHashes: [UInt64] = []
    /// Hashes of the full blocks after the prompt's own.
    var outputHashes: ContiguousArray<UInt64> = []
    var blocks: ContiguousArray<Int32> = []
    /// Blocks whose content others may find already.
    var published = 0

    var outputTokens: Int { length - promptTokens }

    func hash(ofBlock index: Int) -> UInt64 {
        index < promptHashes.count ? promptHashes[index] : outputHashes[index - promptHashes.count]
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
