import EngineModel
import Testing

/// The check values of the constants' sources, which the formula must give back.
struct StepTimeTests {
    struct Anchor: Sendable {
        var profile: String
        /// ITL of one sequence, and of several, at 1,024 tokens of context, in milliseconds.
        var single: Double
        var batch: (sequences: Int, milliseconds: Double)
        /// Prefill of 8,192 tokens in one chunk, tokens per second.
        var prefillRate: Double
        /// One chunk of 2,048 tokens with 32 decodes at 1,024 tokens, in milliseconds.
        var mixed: Double
    }

    static let anchors = [
        Anchor(profile: "llama-3.1-8b-h100", single: 6.6, batch: (256, 29.1), prefillRate: 37_869, mixed: 52.7),
        Anchor(profile: "llama-3.1-8b-a100", single: 10.9, batch: (256, 53.4), prefillRate: 12_679, mixed: 151.5),
        Anchor(profile: "llama-3.1-8b-l4", single: 63.9, batch: (8, 70.0), prefillRate: 3_477, mixed: 572.9),
        Anchor(profile: "qwen3-32b-2xh100", single: 14.3, batch: (256, 37.8), prefillRate: 16_000, mixed: 123.4),
        Anchor(profile: "llama-3.1-70b-4xh100", single: 17.6, batch: (256, 34.4), prefillRate: 13_745, mixed: 147.3),
        Anchor(profile: "llama-3.1-70b-8xh100", single: 12.7, batch: (256, 22.6), prefillRate: 20_696, mixed: 99.7),
    ]

    @Test(arguments: anchors)
    func theFormulaGivesTheCheckValuesBack(anchor: Anchor) throws {
        let time = try #require(EngineProfile.named(anchor.profile)).stepTime
        #expect(isNear(time.milliseconds(of: decodes(1)), anchor.single))
        #expect(isNear(time.milliseconds(of: decodes(anchor.batch.sequences)), anchor.batch.milliseconds))
        var prefill = StepLoad()
        prefill.addPrefill(tokens: 8192, contextBefore: 0)
        #expect(isNear(8192 / time.milliseconds(of: prefill) * 1000, anchor.prefillRate))
        var mixed = decodes(32)
        mixed.addPrefill(tokens: 2048, contextBefore: 0)
        #expect(isNear(time.milliseconds(of: mixed), anchor.mixed))
    }

    @Test func everyProfileWorksAndTheFirstIsTheDefault() {
        #expect(EngineProfile.all.count == 6)
        #expect(EngineProfile.standard.id == "llama-3.1-8b-h100")
        for profile in EngineProfile.all { #expect(EngineSettings(profile: profile).problem == nil) }
        #expect(EngineProfile.named("gpt-2") == nil)
    }

    @Test func aRunningEngineMeetsTheAnchors() throws {
        var driver = EngineDriver()
        _ = try driver.submit(prompt(8192), maximumTokens: 3)
        let prefill = try driver.mustStep()
        #expect(isNear(8192 / (Double(prefill.nanoseconds) / 1e9), 37_869))
        #expect(prefill.load.decodes == 0)
        driver = EngineDriver()
        _ = try driver.submit(prompt(1023), maximumTokens: 3)
        driver.step()
        let decode = try driver.mustStep()
        #expect(decode.load == decodes(1))
        #expect(isNear(Double(decode.nanoseconds) / 1e6, 6.6))
    }

    @Test func noiseIsSeededAndKeepsTheMean() throws {
        func total(_ seed: UInt64) throws -> [Int64] {
            var driver = EngineDriver {
                $0.noiseSigma = 0.05
                $0.seed = seed
            }
            _ = try driver.submit(prompt(16), maximumTokens: 2000)
            driver.drain()
            return driver.plans.map(\.nanoseconds)
        }
        let first = try total(1)
        #expect(try total(1) == first)
        #expect(try total(2) != first)
        var quiet = EngineDriver()
        _ = try quiet.submit(prompt(16), maximumTokens: 2000)
        quiet.drain()
        #expect(Set(first).count > 1000)
        let ratio = Double(first.reduce(0, +)) / Double(quiet.nanoseconds)
        #expect(abs(ratio - 1) < 0.01)
    }

    /// `count` decodes at 1,024 tokens of context.
    private func decodes(_ count: Int) -> StepLoad {
        var load = StepLoad()
        for _ in 0..<count { load.addDecode(context: 1024) }
        return load
    }

    private func isNear(_ value: Double, _ expected: Double) -> Bool { abs(value / expected - 1) < 0.03 }
}
