import ArgumentParser
import EngineModel
import Testing

@testable import App

struct EngineCommandTests {
    private func options(_ arguments: String...) throws -> EngineOptions {
        try #require(try Neap.parseAsRoot(["engine"] + arguments) as? EngineCommand).options()
    }

    @Test func theDefaultIsTheFirstProfile() throws {
        let options = try options()
        #expect(options.port == 8000 && options.host == "127.0.0.1")
        #expect(options.engine.stepTime == EngineProfile.standard.stepTime)
        #expect(options.faults == FaultPlan())
    }

    @Test func flagsReachTheEngine() throws {
        let options = try options(
            "--port", "0", "--model", "m", "--profile", "llama-3.1-8b-l4", "--speed", "4", "--max-num-seqs", "9",
            "--kv-tokens", "8000", "--scheduling-policy", "priority", "--served-model-name", "a", "--lora", "l",
            "--fault", "refuse", "--fault", "one-in=3", "--seed", "5")
        #expect(options.engine.maximumSequences == 9)
        #expect(options.engine.maximumModelLength == 8000, "less KV, shorter context")
        #expect(options.engine.policy == .priority && options.engine.seed == 5 && options.speed == 4)
        #expect(options.baseNames == ["m", "a"] && options.adapters == ["l"])
        #expect(options.faults.refuse && options.faults.oneIn == 3)
    }

    @Test(arguments: [
        ["--profile", "gpt"], ["--speed", "0"], ["--port", "70000"], ["--scheduling-policy", "lifo"],
        ["--fault", "explode"], ["--kv-tokens", "0"], ["--max-num-seqs", "-1"], ["--noise", "2"],
        ["--startup-delay", "-1"], ["--max-model-len", "500000"], ["--request-overhead", "-1"],
    ]) func wrongFlagsAreExplained(arguments: [String]) throws {
        #expect(throws: (any Error).self) {
            _ = try (try Neap.parseAsRoot(["engine"] + arguments) as? EngineCommand)?.options()
        }
    }
}
