/// How one simulated engine is set up: the profile's constants and every limit, explicit.
package struct EngineSettings: Sendable, Equatable {
    package var stepTime: StepTime
    /// Tokens in one KV block.
    package var blockSize = 16
    /// KV capacity in tokens; the last partial block is not used.
    package var kvTokens: Int
    package var maximumSequences: Int
    /// Tokens prefilled and decoded in one step at most.
    package var batchTokens: Int
    /// Longest context, prompt and answer together, in tokens.
    package var maximumModelLength: Int
    package var policy: SchedulingPolicy = .firstComeFirstServed
    /// Sequences waiting or running beyond which new ones are refused; nil: no limit, as engines come.
    package var maximumQueuedSequences: Int?
    /// Prompt tokens of sequences still in prefill beyond which new ones are refused; nil: no limit.
    package var maximumQueuedTokens: Int?
    /// Spread of the lognormal factor on step times; 0 makes them exact.
    package var noiseSigma = 0.04
    /// Mean answer length in tokens where the answer ends by itself.
    package var meanOutputTokens = 256
    /// False: answers have a length but no content, and a step reports only first tokens and ends. Prompts may then be
    /// outlines (`PromptDigest.init(outline:known:seed:)`). Steps, blocks and times are the same, at a fraction of the
    /// cost.
    package var generatesContent = true
    /// Seeds the answers, the noise and the block hashes.
    package var seed: UInt64 = 0

    package init(profile: EngineProfile) {
        stepTime = profile.stepTime
        kvTokens = profile.kvTokens
        maximumSequences = profile.maximumSequences
        batchTokens = profile.batchTokens
        maximumModelLength = profile.maximumModelLength
    }

    package var blocks: Int { kvTokens / blockSize }

    /// What is wrong with the settings, in words for the person who wrote them; nil when they work.
    package var problem: String? {
        if blockSize < 1 { return "the block size must be at least 1, found \(blockSize)" }
        if maximumSequences < 1 { return "the number of sequences must be at least 1, found \(maximumSequences)" }
        if batchTokens < 1 { return "the tokens of a step must be at least 1, found \(batchTokens)" }
        if maximumModelLength < 2 { return "the model length must be at least 2, found \(maximumModelLength)" }
        if meanOutputTokens < 1 { return "the mean answer must be at least 1 token, found \(meanOutputTokens)" }
        if !(0...1).contains(noiseSigma) { return "the noise must be between 0 and 1, found \(noiseSigma)" }
        if kvTokens > 1 << 28 { return "more than \(1 << 28) KV tokens are not simulated, found \(kvTokens)" }
        if blocks * blockSize < maximumModelLength {
            return
                "\(kvTokens) KV tokens cannot hold one sequence of the model length \(maximumModelLength); raise the KV tokens or lower the model length"
        }
        return nil
    }
}

/// The order of the waiting queue and of preemption.
package enum SchedulingPolicy: Sendable, Equatable {
    case firstComeFirstServed
    /// Lower `priority` first, then by arrival.
    case priority
}
