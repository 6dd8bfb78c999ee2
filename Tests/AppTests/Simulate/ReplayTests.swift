import ArgumentParser
import Testing

@testable import App
@testable import Simulation

@Suite struct ReplayTests {
    private func command(_ arguments: [String]) throws -> SimulateCommand {
        try #require(try Neap.parseAsRoot(["simulate"] + arguments) as? SimulateCommand)
    }

    @Test func `the command that is printed asks for the same`() throws {
        let arguments = [
            "--trace", "synthetic:rate=3", "--slice", "0:50", "--jitter", "2.5", "--profile",
            "llama-3.1-8b-h100,llama-3.1-8b-l4", "--endpoints", "3", "--load", "0.7", "--policy", "neap,random",
            "--seed",
            "18446744073709551615", "--faults", "random:4",
        ]
        let speed = 0.1 + 0.2
        let line = try command(arguments).replay(policy: "random", speed: speed)
        let again = try command(line.split(separator: " ").dropFirst(2).map { String($0) })
        #expect(again.speed == speed, "to the last bit")
        #expect(again.load == nil && again.policy == "random" && again.seed == .max && again.endpoints == 3)
        #expect(again.profile == "llama-3.1-8b-h100,llama-3.1-8b-l4" && again.faults == "random:4")
        #expect(again.traffic.words == ["--trace", "synthetic:rate=3", "--slice", "0:50", "--jitter", "2.5"])
    }

    @Test func `broken rules are told with it, and only they`() {
        var result = SimulationResult()
        var report = SimulationReport(firstTokenGoal: 1, perTokenGoal: 1)
        report.runs = [SimulationReport.Run(name: "neap", result: result, seconds: 1, replay: "neap simulate --seed 3")]
        #expect(!report.table.contains("again"))
        result.violations = ["7 ns: request 1 ended twice"]
        report.runs[0].result = result
        #expect(report.table.contains("  BROKEN: 7 ns: request 1 ended twice\n  again with: neap simulate --seed 3\n"))
    }

    @Test(arguments: [
        (["a", "b-c=1,2"], "a b-c=1,2"), (["my file", "it's", ""], "'my file' 'it'\\''s' ''"), (["$x;"], "'$x;'"),
    ])
    func `words are quoted as a shell needs`(_ words: [String], _ line: String) {
        #expect(ShellWord.line(words) == line)
    }

    @Test(arguments: ["random:", "random:0", "random:x", "random:10001"])
    func `a wrong number of random faults is refused`(_ faults: String) {
        #expect(throws: (any Error).self) {
            try Neap.parseAsRoot(["simulate", "--trace", "x", "--faults", faults])
        }
    }
}
