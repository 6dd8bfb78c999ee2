import EngineModel
import Foundation
import Testing

/// What others measured and published, beside what the model says. `docs/engine.md` holds the table that this prints.
struct AnchorTests {
    enum Figure: Sendable {
        /// Milliseconds from token to token of so many sequences with so much context, pure decoding.
        case decode(sequences: Int, context: Int)
        /// Milliseconds of a step's linear layers (no attention, no KV read) over so many tokens.
        case linear(tokens: Int)
        /// Tokens per second of one chunk of so many.
        case prefill(tokens: Int)
        /// Throughput with so many clients in a closed loop over that with one, 1024 tokens in and 128 out.
        case speedup(clients: Int)

        var name: String {
            switch self {
            case .decode(let sequences, let context): "ITL of \(sequences) at \(context) tokens, ms"
            case .linear(let tokens): "linear layers over \(tokens) tokens, ms"
            case .prefill(let tokens): "prefill of \(tokens), tokens/s"
            case .speedup(let clients): "throughput of \(clients) clients over 1"
            }
        }
    }

    struct Anchor: Sendable {
        var profile: String
        var figure: Figure
        var published: Double
        var source: String
        /// Largest relative error, and why it is no smaller.
        var bound: Double
        var reason: String
    }

    /// `vidur`: layers' medians of its per-operator profiles (MIT), summed over layers. Llama 2 7B stands for Llama 3.1
    /// 8B with 1.077 times its parameters and 0.4 ms for the larger vocabulary. Where layers are spread over GPUs its
    /// sum leaves out the all-reduces, which are added here from its measurement of two per layer at that size.
    static let anchors = [
        Anchor(
            profile: "llama-3.1-8b-h100", figure: .decode(sequences: 1, context: 512), published: 6.48,
            source: "yobitelcomm, vLLM 0.21, short chat", bound: 0.03, reason: "fitted; the context is a guess"),
        Anchor(
            profile: "llama-3.1-8b-h100", figure: .decode(sequences: 4, context: 512), published: 6.59,
            source: "yobitelcomm, vLLM 0.21, short chat", bound: 0.03, reason: "fitted; the context is a guess"),
        Anchor(
            profile: "llama-3.1-8b-h100", figure: .linear(tokens: 64), published: 5.92 * 1.077 + 0.4,
            source: "vidur H100, scaled", bound: 0.1, reason: "another model, scaled"),
        Anchor(
            profile: "llama-3.1-8b-h100", figure: .linear(tokens: 256), published: 9.25 * 1.077 + 0.4,
            source: "vidur H100, scaled", bound: 0.25, reason: "knee: the model has a corner, the hardware a curve"),
        Anchor(
            profile: "llama-3.1-8b-h100", figure: .linear(tokens: 4096), published: 84.46 * 1.077 + 0.4,
            source: "vidur H100, scaled", bound: 0.03, reason: "fitted"),
        Anchor(
            profile: "llama-3.1-8b-a100", figure: .decode(sequences: 1, context: 1088), published: 13.3 * 1.555 / 2.04,
            source: "johnmusgrave.com, A100-40 by bandwidth", bound: 0.1, reason: "another card, scaled"),
        Anchor(
            profile: "llama-3.1-8b-a100", figure: .linear(tokens: 64), published: 11.33, source: "vidur A100",
            bound: 0.1, reason: "between floor and knee"),
        Anchor(
            profile: "llama-3.1-8b-a100", figure: .linear(tokens: 128), published: 13.28, source: "vidur A100",
            bound: 0.25, reason: "knee: the model has a corner, the hardware a curve"),
        Anchor(
            profile: "llama-3.1-8b-a100", figure: .linear(tokens: 8192), published: 548.75, source: "vidur A100",
            bound: 0.03, reason: "fitted"),
        Anchor(
            profile: "llama-3.1-8b-a100", figure: .speedup(clients: 8), published: 6.6,
            source: "johnmusgrave.com, A100-40 1024/128", bound: 0.15, reason: "another card"),
        Anchor(
            profile: "qwen3-32b-2xh100", figure: .prefill(tokens: 8192), published: 15_928,
            source: "llm-d 2026-08, recipe", bound: 0.03, reason: "fitted"),
        Anchor(
            profile: "qwen3-32b-2xh100", figure: .prefill(tokens: 8192), published: 20_480,
            source: "llm-d 2026-08, fit", bound: 0.25, reason: "the source's two figures differ by 29 %"),
        Anchor(
            profile: "llama-3.1-70b-4xh100", figure: .decode(sequences: 1, context: 512), published: 17.5,
            source: "BLIS, light load", bound: 0.03, reason: "fitted"),
        Anchor(
            profile: "llama-3.1-70b-4xh100", figure: .linear(tokens: 64), published: 15.44 + 160 * 0.035,
            source: "vidur H100 and all-reduce of 1 MB", bound: 0.2, reason: "the profile's floor is an estimate"),
        Anchor(
            profile: "llama-3.1-70b-4xh100", figure: .linear(tokens: 4096), published: 227.8 + 50,
            source: "vidur H100 and all-reduces", bound: 0.03, reason: "fitted"),
        Anchor(
            profile: "llama-3.1-70b-8xh100", figure: .linear(tokens: 64), published: 9.12 + 160 * 0.034,
            source: "vidur H100 and all-reduce of 1 MB", bound: 0.2, reason: "the profile's floor is an estimate"),
        Anchor(
            profile: "llama-3.1-70b-8xh100", figure: .linear(tokens: 4096), published: 126.64 + 59,
            source: "vidur H100 and all-reduces", bound: 0.03, reason: "fitted"),
    ]

    @Test(arguments: anchors.indices) func `the model is as near as its bound says`(_ index: Int) throws {
        let anchor = Self.anchors[index]
        let error = try Self.model(anchor) / anchor.published - 1
        #expect(abs(error) <= anchor.bound, "\(anchor.profile), \(anchor.figure.name): \(error)")
        // A bound far above the error says nothing.
        #expect(anchor.bound <= 0.03 || abs(error) >= anchor.bound / 3)
    }

    @Test func `the document shows these figures`() throws {
        let path = #filePath.replacing("Tests/EngineModelTests/AnchorTests.swift", with: "docs/engine.md")
        let document = try String(contentsOfFile: path, encoding: .utf8)
        let table = try Self.anchors.map(Self.row).joined(separator: "\n")
        print(table)
        #expect(document.contains(table), "docs/engine.md differs from the table printed above")
    }

    private static func row(_ anchor: Anchor) throws -> String {
        let model = try model(anchor)
        let error = (model / anchor.published - 1) * 100
        let digits = anchor.published < 1000 ? 2 : 0
        func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
        return "| \(anchor.profile) | \(anchor.figure.name) | \(number(anchor.published, digits)) | "
            + "\(number(model, digits)) | \(error < 0 ? "" : "+")\(number(error, 1)) % | "
            + "\(number(anchor.bound * 100, 0)) % | \(anchor.source) | \(anchor.reason) |"
    }

    private static func model(_ anchor: Anchor) throws -> Double {
        let profile = try #require(EngineProfile.named(anchor.profile))
        let time = profile.stepTime
        var load = StepLoad()
        switch anchor.figure {
        case .decode(let sequences, let context):
            for _ in 0..<sequences { load.addDecode(context: context) }
            return time.milliseconds(of: load)
        case .linear(let tokens):
            load.prefillTokens = tokens
            return time.milliseconds(of: load)
        case .prefill(let tokens):
            load.addPrefill(tokens: tokens, contextBefore: 0)
            return Double(tokens) / time.milliseconds(of: load) * 1000
        case .speedup(let clients):
            return try throughput(profile, clients: clients) / throughput(profile, clients: 1)
        }
    }

    /// Requests per second of so many clients that each send the next request when the last has ended.
    private static func throughput(_ profile: EngineProfile, clients: Int) throws -> Double {
        var driver = EngineDriver {
            $0 = EngineSettings(profile: profile)
            $0.noiseSigma = 0
        }
        var sent: Int32 = 0
        func send(_ driver: inout EngineDriver) throws {
            sent += 1
            _ = try driver.submit(prompt(1024, salt: sent), maximumTokens: 128)
        }
        for _ in 0..<clients { try send(&driver) }
        let wanted = 20 * clients
        var answered = 0
        while driver.finished.count < wanted {
            driver.step()
            for _ in answered..<driver.finished.count { try send(&driver) }
            answered = driver.finished.count
        }
        return Double(driver.finished.count) / (Double(driver.nanoseconds) / 1e9)
    }
}
