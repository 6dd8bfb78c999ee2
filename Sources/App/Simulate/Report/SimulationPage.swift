import Glibc
import Simulation

/// The figures of several policies as a page that is read at a glance.
struct SimulationPage {
    /// Endpoints up to which each has its own line; of more only the least, the mean and the most are drawn.
    static let mostLines = 16
    /// Points of one policy's quantile curve.
    private static let curvePoints = 160
    /// The curve ends where one request in ten thousand is slower.
    private static let mostNines = 4.0

    var report: SimulationReport
    /// The command that was run.
    var subtitle: String

    var html: String {
        var page = ReportDocument(title: "Neap simulation", subtitle: subtitle)
        page.addHeadline(headline, note: goals)
        let broken = report.runs.filter { !$0.result.violations.isEmpty }
        if !broken.isEmpty { page.add("Broken rules", brokenRules(broken)) }
        page.add(
            "Time to first token",
            note: "How slow the slowest requests were. Lower is better; right of p99 is the tail.",
            ReportDocument.legend(legend) + quantileCurves)
        page.add(
            "Load of each endpoint", note: "The closer the lines are, the more evenly the policy spreads the work.",
            loads)
        page.add(
            "Prefix hits", note: "Share of the prompts' tokens that an engine had in its cache and did not compute.",
            hitBars)
        page.add("Figures", note: "Times in milliseconds.", table)
        return page.html
    }

    // MARK: Words

    private var headline: String {
        let ranked = report.runs.map { ($0.name, SimulationResult.quantile($0.result.firstToken, 0.99)) }
            .sorted { $0.1 < $1.1 }
        guard let best = ranked.first, let worst = ranked.last else { return "Nothing was run." }
        let first = "99 of 100 requests had their first token within \(best.1.fixed(0)) ms with \(best.0)"
        return ranked.count == 1 ? first + "." : first + "; with \(worst.0) it took \(worst.1.fixed(0)) ms."
    }

    private var goals: String {
        let capacity =
            report.capacitySpeed.map { ", \((report.speed / $0 * 100).fixed(0)) % of the fleet's capacity" } ?? ""
        return "Speed \(report.speed.fixed(2)) times the trace's own\(capacity). Good is a first token within "
            + "\(report.firstTokenGoal.short) ms and \(report.perTokenGoal.short) ms for each further token."
    }

    private func brokenRules(_ runs: [SimulationReport.Run]) -> String {
        runs.map { run in
            let rules = run.result.violations.map { "<li>\(HTMLText.escaped("\(run.name): \($0)"))</li>" }
            return "<ul class=\"bad\">\(rules.joined())</ul><code>\(HTMLText.escaped(run.replay))</code>"
        }.joined()
    }

    /// Ours has the first colour, whatever it is compared with.
    private func style(_ index: Int) -> String {
        report.runs[index].name == "neap"
            ? ReportStyle.series(0) : ReportStyle.series(1 + index % (ReportStyle.colors - 1))
    }

    private var legend: [(name: String, style: String)] {
        report.runs.enumerated().map { ($1.name, style($0)) }
    }

    // MARK: Plots

    private var quantileCurves: String {
        var lines: [LinePlot.Line] = []
        var (low, high, end) = (Double.infinity, 0.0, 0.5)
        for (index, run) in report.runs.enumerated() {
            let values = run.result.firstToken.sorted()
            guard let least = values.first, let most = values.last else { continue }
            (low, high) = (min(low, least), max(high, most))
            let nines = min(SimulationPage.mostNines, log10(Double(values.count)))
            end = max(end, nines)
            let emphasis = run.name == "neap" && report.runs.count > 1 ? " strong" : ""
            lines.append(
                LinePlot.Line(
                    name: run.name, style: style(index) + emphasis, points: SimulationPage.curve(values, nines: nines)))
        }
        // What is drawn last lies on top.
        lines = lines.filter { !$0.style.hasSuffix("strong") } + lines.filter { $0.style.hasSuffix("strong") }
        let marks: [(value: Double, label: String)] = [
            (log10(2.0), "p50"), (1, "p90"), (2, "p99"), (3, "p99.9"), (4, "p99.99"),
        ]
        let names = report.runs.map(\.name).joined(separator: ", ")
        return LinePlot(
            summary:
                "Quantiles of the time to first token, on a logarithmic axis, of \(names). The table has the figures.",
            across: .marked(upTo: end, marks.filter { $0.value <= end }),
            acrossTitle: "share of the requests that were faster",
            up: .logarithmic(from: low.isFinite ? low : 1, to: high), upTitle: "time to first token, ms (logarithmic)",
            lines: lines
        ).html
    }

    /// `values` in ascending order, evenly over the nines of their rank: the tail has as much room as the bulk.
    private static func curve(_ values: [Double], nines: Double) -> [(x: Double, y: Double)] {
        (0...curvePoints).map { step in
            let x = nines * Double(step) / Double(curvePoints)
            let rank = Int(((1 - pow(10, -x)) * Double(values.count)).rounded(.up))
            return (x, values[min(values.count - 1, max(0, rank - 1))])
        }
    }

    private var loads: String {
        let seconds = report.runs.map(\.result.virtualSeconds).max() ?? 1
        let histories = report.runs.map { run in (0..<run.result.load.endpoints).map { run.result.load.means(of: $0) } }
        let most = histories.joined().joined().map(\.inFlight).max() ?? 1
        let plots = zip(report.runs.indices, histories).map { index, history in
            let name = report.runs[index].name
            return "<div><h3><span class=\"swatch block \(style(index))\"></span>\(HTMLText.escaped(name))</h3>"
                + LoadPlot(name: name, style: style(index), endpoints: history, seconds: seconds, most: most).html
                + "</div>"
        }
        return "<div class=\"small\">\(plots.joined(separator: "\n"))</div>"
    }

    private var hitBars: String {
        let rows = report.runs.enumerated().map { index, run in
            let share = (run.result.prefixHitRatio * 100).fixed(1)
            return "<li><span>\(HTMLText.escaped(run.name))</span><span class=\"track\" aria-hidden=\"true\">"
                + "<span class=\"fill \(style(index))\" style=\"width:\(share)%\"></span></span>"
                + "<span class=\"value\">\(share) %</span></li>"
        }
        return "<ul class=\"bars\">\(rows.joined(separator: "\n"))</ul>"
    }

    private var table: String {
        ReportDocument.table(
            "Figures of each policy", head: SimulationReport.head + ["jobs done"],
            rows: report.runs.map { report.cells($0) + ["\($0.result.jobsCompleted)"] })
    }
}
