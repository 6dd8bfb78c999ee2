/// Finds how much of a prompt's start most requests of a pool share (a system prompt, a template).
///
/// Counts blocks in a small table in which rare blocks give way to frequent ones; all counts are halved every
/// `window` prompts, so that a change of template is noticed. 24 KB, fixed.
package struct CommonPrefix: Sendable {
    private var hashes: [UInt64]
    private var counts: [UInt32]
    private var prompts: UInt32 = 0

    private static let slots = 2048
    private static let window: UInt32 = 1024
    /// Prompts before anything is called common.
    private static let fewest: UInt32 = 16

    package init() {
        hashes = Array(repeating: 0, count: CommonPrefix.slots)
        counts = Array(repeating: 0, count: CommonPrefix.slots)
    }

    /// Counts one prompt and tells how many of its blocks, from the start, more than half of the recent prompts share.
    package mutating func observe(_ chain: [PrefixBlock]) -> Int {
        prompts += 1
        if prompts >= CommonPrefix.window { halve() }
        var common = 0
        var isCommon = prompts >= CommonPrefix.fewest
        for block in chain {
            let slot = Int(truncatingIfNeeded: block.hash) & (CommonPrefix.slots - 1)
            guard counts[slot] > 0, hashes[slot] == block.hash else {
                // One new block for each prompt: unique tails cost one step and take one slot.
                if counts[slot] <= 1 {
                    hashes[slot] = block.hash
                    counts[slot] = 1
                } else {
                    counts[slot] -= 1
                }
                break
            }
            counts[slot] += 1
            isCommon = isCommon && counts[slot] * 2 > prompts
            if isCommon { common += 1 }
        }
        return common
    }

    private mutating func halve() {
        prompts /= 2
        for slot in counts.indices { counts[slot] /= 2 }
    }
}
