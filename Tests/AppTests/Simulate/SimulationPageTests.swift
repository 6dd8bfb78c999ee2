import EngineModel
import Testing

@testable import App
@testable import Simulation

@Suite struct SimulationPageTests {
    private static func report(policies: [String], endpoints: Int = 2) -> SimulationReport {
        var traffic = SyntheticTrace()
        traffic.requests = 60
        let trace = traffic.generate(seed: 1)
        var report = SimulationReport(firstTokenGoal: 2000, perTokenGoal: 100)
        for name in policies {
            let settings = SimulationSettings(endpoints: Array(repeating: .standard, count: endpoints))
            var world = World(trace: trace, settings: settings)
            report.runs.append(SimulationReport.Run(name: name, result: world.run(), seconds: 1, replay: "again"))
        }
        return report
    }

    private func count(_ word: String, in text: String) -> Int {
        text.split(separator: word, omittingEmptySubsequences: false).count - 1
    }

    @Test func `it has what each policy did, and nothing from elsewhere`() {
        let html = SimulationPage(report: Self.report(policies: ["neap", "random"]), subtitle: "two").html
        #expect(count("<svg", in: html) == 3, "one for the first tokens, one load for each policy")
        #expect(count("class=\"line", in: html) == 2 + 2 * 3)
        for outside in ["http:", "https:", "src=", "href=", "@import", "url(", "<script"] {
            #expect(!html.contains(outside), "\(outside)")
        }
    }

    @Test func `of many endpoints only the span and the mean are drawn`() {
        let many = SimulationPage.mostLines + 1
        let html = SimulationPage(report: Self.report(policies: ["neap"], endpoints: many), subtitle: "").html
        #expect(count("class=\"line", in: html) == 2)
        #expect(html.contains("mean of \(many) endpoints"))
    }

    @Test func `what came from outside is never markup`() {
        var report = Self.report(policies: ["neap"])
        report.runs[0].replay = "neap simulate --trace '<img>'"
        report.runs[0].result.violations = ["<b>"]
        let html = SimulationPage(report: report, subtitle: "a\"><i>").html
        for text in ["<img>", "<b>", "<i>"] { #expect(!html.contains(text), "\(text)") }
        #expect(html.contains("&#39;&lt;img&gt;&#39;") && html.contains("a&quot;&gt;&lt;i&gt;"))
    }

    @Test func `a run in which nothing ended has a page too`() {
        var report = SimulationReport(firstTokenGoal: 1, perTokenGoal: 1)
        report.runs = [SimulationReport.Run(name: "neap", result: SimulationResult(), seconds: 1, replay: "")]
        #expect(SimulationPage(report: report, subtitle: "").html.contains("</html>"))
    }
}

@Suite struct PlotScaleTests {
    @Test func `a linear axis begins at 0 and ends round`() {
        let scale = PlotScale.linear(upTo: 87)
        #expect(scale.ticks.map(\.label) == ["0", "20", "40", "60", "80", "100"])
        #expect(scale.place(50) == 0.5)
        #expect(scale.place(-1) == 0 && scale.place(1e9) == 1)
        #expect(PlotScale.linear(upTo: 0.3).ticks.map(\.label) == ["0", "0.1", "0.2", "0.3"])
    }

    @Test func `a logarithmic axis has equal room for equal ratios`() {
        let scale = PlotScale.logarithmic(from: 12, to: 900)
        #expect(scale.ticks.map(\.label) == ["10", "20", "50", "100", "200", "500", "1000"])
        #expect(abs(scale.place(100) - 0.5) < 1e-9)
        #expect(PlotScale.logarithmic(from: 1, to: 1e6).ticks.map(\.label).count == 7, "decades alone")
        #expect(scale.place(0) == 0)
    }

    @Test(arguments: [(0.0, 0), (5, 1), (0, 3)] as [(Double, Int)]) func `axes of nothing are axes`(
        _ top: Double, _ low: Int
    ) {
        for scale in [PlotScale.linear(upTo: top), .logarithmic(from: Double(low), to: top), .whole(to: top)] {
            #expect(scale.place(top).isFinite)
            #expect(!scale.ticks.isEmpty)
        }
    }

    @Test func `numbers are written short`() {
        #expect([0.1 + 0.2, 20, 0.0004, 1.5, -2.25].map(\.short) == ["0.3", "20", "0", "1.5", "-2.25"])
    }
}
