import ArgumentParser
import Foundation
import Testing

@testable import App
@testable import Simulation

@Suite struct PlanCommandTests {
    private static let traffic = "synthetic:requests=300,rate=30"

    private func command(_ arguments: [String]) throws -> PlanCommand {
        try #require(
            try Neap.parseAsRoot(["plan", "--trace", Self.traffic, "--no-progress"] + arguments) as? PlanCommand)
    }

    private func trial(_ endpoints: Int) -> FleetTrial {
        FleetTrial(endpoints: endpoints, firstToken: 90, perToken: 12, refused: 0, jobsLeft: 0, jobs: 5, misses: [])
    }

    private func comparison(_ realtime: Int, _ async: Int, _ pool: Int) -> FleetComparison {
        FleetComparison(ratio: 0.5, jobs: 5, realtime: trial(realtime), async: trial(async), pool: trial(pool))
    }

    @Test func `it writes figures and a page`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "neap-plan-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (json, page) = (folder.appending(path: "plan.json"), folder.appending(path: "plan.html"))
        try command([
            "--ttft-p99", "500", "--tpot-p99", "60", "--price", "2.5", "--async-tokens", "0.5", "1", "--json",
            json.path, "--report", page.path,
        ]).run()
        let figures = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: json)) as? [String: Any])
        let comparisons = try #require(figures["comparisons"] as? [[String: Any]])
        #expect(comparisons.compactMap { $0["async_tokens_ratio"] as? Double } == [0.5, 1])
        let realtime = try #require((figures["realtime"] as? [String: Any])?["endpoints"] as? Int)
        for comparison in comparisons {
            let async = try #require((comparison["async"] as? [String: Any])?["endpoints"] as? Int)
            let pool = try #require(comparison["pool"] as? [String: Any])
            #expect((comparison["silos"] as? [String: Any])?["endpoints"] as? Int == realtime + async)
            #expect(comparison["saved_endpoints"] as? Int == realtime + async - (pool["endpoints"] as? Int ?? 0))
            #expect((pool["ttft_p99_ms"] as? Double ?? 1e9) <= 500)
        }
        let html = try String(contentsOf: page, encoding: .utf8)
        #expect(html.contains("With ") && html.contains("Two fleets: "))
        #expect(!html.contains("<script") && !html.contains("http:"))
    }

    @Test func `an objective that cannot be met is named`() throws {
        let plan = try command(["--ttft-p99", "3", "--max-endpoints", "2"])
        let failure = #expect(throws: PlanFailure.self) { try plan.run() }
        let text = try #require(failure?.description)
        #expect(text.hasPrefix("requests alone: not even 2 endpoints are enough: TTFT p99 is "), "\(text)")
        #expect(text.contains(" ms above the objective of 3 ms."), "\(text)")
    }

    @Test(arguments: [
        ["--profile", "abacus"], ["--ttft-p99", "0"], ["--tpot-p99", "-1"], ["--price", "nan"],
        ["--max-endpoints", "0"],
        ["--async-tokens", "0"], ["--async-tokens", "1", "1", "1", "1", "1", "1", "1", "1", "1"], ["--speed", "0"],
    ])
    func `wrong values are refused`(_ arguments: [String]) {
        #expect(throws: (any Error).self) { try command(arguments) }
    }

    @Test func `the sentence says what is saved, and when nothing is`() {
        let backlog = "a backlog of 5 jobs (0.5 times the requests' tokens)"
        #expect(
            comparison(6, 4, 8).sentence(hours: 0.5, price: 2)
                == "With \(backlog), one pool of 8 endpoints does the work of two fleets of together 10 endpoints: "
                + "20 % fewer, which saves 2.00 in this time and 35,040 in a year of such traffic.")
        #expect(comparison(6, 4, 8).sentence(hours: 1, price: nil).hasSuffix("10 endpoints: 20 % fewer."))
        #expect(comparison(1, 1, 2).sentence(hours: 1, price: 1).hasSuffix("merging them saves no endpoint."))
        #expect(comparison(1, 1, 3).sentence(hours: 1, price: 1).hasSuffix("merging them does not pay."))
    }

    @Test func `a loss is not written as a saving`() {
        func text(_ comparison: FleetComparison) -> String {
            var plan = PlanReport(
                profile: "x", seconds: 60, objectives: Objectives(firstToken: 1), realtime: comparison.realtime,
                command: "")
            plan.comparisons = [comparison]
            return plan.text
        }
        #expect(text(comparison(6, 4, 8)).contains("\nsaved: 2 endpoints, 20.0 %\n"))
        #expect(text(comparison(2, 2, 5)).contains("\nsaved: none, one pool needs 1 endpoints more (25.0 %)\n"))
    }

    @Test func `the picture has a square for each endpoint, and bars of very many`() {
        func page(_ comparison: FleetComparison) -> String {
            var plan = PlanReport(
                profile: "x", seconds: 60, objectives: Objectives(firstToken: 1), realtime: comparison.realtime,
                command: "")
            plan.comparisons = [comparison]
            return PlanPage(plan: plan).html
        }
        let few = page(comparison(3, 2, 4))
        #expect(few.components(separatedBy: "h.84v.84").count - 1 == 5 + 5, "saved ones are drawn as gaps")
        #expect(few.contains("aria-label=\"One pool: 4 endpoints\""))
        #expect(!page(comparison(300, 200, 400)).contains("h.84v.84"))
    }
}
