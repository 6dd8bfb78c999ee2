import Simulation

/// A plan as a page: the sentence, and a picture of the endpoints.
struct PlanPage {
    /// The most endpoints that are drawn one by one; more are drawn as bars.
    static let mostSquares = 64

    var plan: PlanReport

    var html: String {
        var page = ReportDocument(title: "Neap plan", subtitle: plan.command)
        for (index, sentence) in plan.sentences.enumerated() {
            page.addHeadline(sentence, note: index == 0 ? "Objectives: \(plan.goals)." : "")
        }
        for comparison in plan.comparisons {
            page.add(
                "Endpoints needed: two fleets or one pool",
                note: "Backlog: \(comparison.backlog), done by the last request's arrival.", picture(comparison))
            page.add("Figures", note: notes, table(plan.rows(comparison)))
        }
        if plan.comparisons.isEmpty {
            page.add("Figures", note: notes, table([PlanReport.Row(name: "requests", plan.realtime)]))
        }
        return page.html
    }

    private var notes: String { "Times in milliseconds; endpoint-hours and money are for the trace's time." }

    private func table(_ rows: [PlanReport.Row]) -> String {
        ReportDocument.table("Figures of each fleet", head: PlanReport.head, rows: rows.map(plan.cells))
    }

    private func picture(_ comparison: FleetComparison) -> String {
        let (requests, jobs, both, spared) = ("c0", "c2", "c7", "free")
        let most = max(comparison.silos, comparison.pool.endpoints)
        var pool = [Part(count: comparison.pool.endpoints, style: both)]
        if comparison.saved > 0 { pool.append(Part(count: comparison.saved, style: spared)) }
        let silos = [
            Part(count: comparison.realtime.endpoints, style: requests),
            Part(count: comparison.async.endpoints, style: jobs),
        ]
        let rows = [
            ("Two fleets", silos, comparison.silos), ("One pool", pool, comparison.pool.endpoints),
        ].map { name, parts, count in
            "<div class=\"fleet\"><h3>\(name)</h3>\(drawing("\(name): \(count) endpoints", parts, most))"
                + "<span class=\"count\">\(count)</span></div>"
        }
        var legend = [("requests alone", requests), ("jobs alone", jobs), ("both", both)]
        if comparison.saved > 0 { legend.append(("saved", spared)) }
        return ReportDocument.legend(legend.map { (name: $0.0, style: $0.1) }, isBlock: true)
            + rows.joined(separator: "\n")
    }

    private struct Part {
        var count: Int
        var style: String
    }

    /// Squares side by side, one for each endpoint, or bars where there are too many.
    private func drawing(_ summary: String, _ parts: [Part], _ most: Int) -> String {
        let columns = most > PlanPage.mostSquares ? most : max(8, min(most, 16))
        let rows = (most + columns - 1) / columns
        let height = most > PlanPage.mostSquares ? max(1, most / 12) : rows
        var first = 0
        let paths = parts.filter { $0.count > 0 }.map { part in
            let end = first + part.count
            defer { first = end }
            let boxes =
                most > PlanPage.mostSquares
                ? "M\(first) 0H\(end)V\(height)H\(first)Z"
                : (first..<end).map { "M\($0 % columns).08 \($0 / columns).08h.84v.84h-.84z" }.joined()
            return "<path class=\"fill-\(part.style == "free" ? "free" : "box") \(part.style)\" d=\"\(boxes)\"/>"
        }
        return
            "<svg viewBox=\"0 0 \(columns) \(height)\" role=\"img\" aria-label=\"\(summary)\"><title>\(summary)</title>"
            + "\(paths.joined())</svg>"
    }
}
