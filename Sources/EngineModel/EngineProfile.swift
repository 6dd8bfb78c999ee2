/// Constants of one model on one kind of accelerator.
///
/// Step times are fitted to published measurements of the pair, the L4 row is an estimate. The limits are
/// what such a server is usually started with.
package struct EngineProfile: Sendable, Equatable {
    /// The name that `--profile` takes.
    package var id: String
    package var stepTime: StepTime
    /// KV capacity in tokens.
    package var kvTokens: Int
    package var maximumSequences: Int
    /// Tokens prefilled and decoded in one step at most.
    package var batchTokens: Int
    /// Longest context, prompt and answer together.
    package var maximumModelLength: Int
    /// The model's own name, shown as `root` of a served model.
    package var modelRoot: String
}

extension EngineProfile {
    /// The profile with this id, or nil.
    package static func named(_ id: String) -> EngineProfile? { all.first { $0.id == id } }

    /// Every profile; the first is the default.
    package static let all: [EngineProfile] = [
        EngineProfile(
            id: "llama-3.1-8b-h100",
            stepTime: StepTime(6.2, 2.2, 0.0218, kv: 7.6e-5, attention: 1.05e-6, fixed: 0.3),
            kvTokens: 450_000, maximumSequences: 256, batchTokens: 8192, maximumModelLength: 131_072,
            modelRoot: "meta-llama/Llama-3.1-8B-Instruct"),
        EngineProfile(
            id: "llama-3.1-8b-a100",
            stepTime: StepTime(10.4, 2.0, 0.0667, kv: 1.25e-4, attention: 2.9e-6, fixed: 0.4),
            kvTokens: 450_000, maximumSequences: 256, batchTokens: 2048, maximumModelLength: 131_072,
            modelRoot: "meta-llama/Llama-3.1-8B-Instruct"),
        EngineProfile(
            id: "llama-3.1-8b-l4",
            stepTime: StepTime(62, 5, 0.25, kv: 8.5e-4, attention: 9e-6, fixed: 1),
            kvTokens: 32_000, maximumSequences: 256, batchTokens: 2048, maximumModelLength: 16_384,
            modelRoot: "meta-llama/Llama-3.1-8B-Instruct"),
        EngineProfile(
            id: "qwen3-32b-2xh100",
            stepTime: StepTime(13.5, 2.0, 0.055, kv: 7.6e-5, attention: 1.75e-6, fixed: 0.7),
            kvTokens: 307_328, maximumSequences: 256, batchTokens: 8192, maximumModelLength: 40_960,
            modelRoot: "Qwen/Qwen3-32B"),
        EngineProfile(
            id: "llama-3.1-70b-4xh100",
            stepTime: StepTime(16.5, 2.5, 0.067, kv: 4.8e-5, attention: 1.3e-6, fixed: 1.0),
            kvTokens: 484_016, maximumSequences: 256, batchTokens: 8192, maximumModelLength: 131_072,
            modelRoot: "meta-llama/Llama-3.1-70B-Instruct"),
        EngineProfile(
            id: "llama-3.1-70b-8xh100",
            stepTime: StepTime(11.5, 2.5, 0.045, kv: 2.4e-5, attention: 0.7e-6, fixed: 1.2),
            kvTokens: 1_400_000, maximumSequences: 256, batchTokens: 8192, maximumModelLength: 131_072,
            modelRoot: "meta-llama/Llama-3.1-70B-Instruct"),
    ]

    /// What a server does without being told otherwise.
    package static var standard: EngineProfile { all[0] }
}

extension StepTime {
    /// One row of the table, in milliseconds: weight read, base, linear per token, then the named terms.
    /// The cost of one more sequence in a step, 4.4 µs, is the same for every pair.
    fileprivate init(
        _ weightRead: Double, _ base: Double, _ linear: Double, kv: Double, attention: Double, fixed: Double
    ) {
        self.init(
            weightReadMilliseconds: weightRead, baseMilliseconds: base, linearMillisecondsPerToken: linear,
            kvReadMillisecondsPerToken: kv, attentionMillisecondsPerPair: attention, sequenceMilliseconds: 0.0044,
            fixedMilliseconds: fixed)
    }
}
