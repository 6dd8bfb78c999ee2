import Simulation

/// What a plan came to, for people and as JSON.
struct PlanReport {
    var profile: String
    /// From the first request's arrival to the last one's.
    var seconds: Double
    var objectives: Objectives
    /// Money for an endpoint and hour, in whatever currency; nil: not told.
    var price: Double?
    var realtime: FleetTrial
    var comparisons: [FleetComparison] = []
    /// The command that makes the plan again.
    var command: String

    var hours: Double { seconds / 3600 }

    struct Row {
        var name: String
        var endpoints: Int
        var firstToken: Double?
        var perToken: Double?
    }

    static let head = ["fleet", "endpoints", "endpoint-hours", "money", "TTFT p99", "TPOT p99"]

    func rows(_ comparison: FleetComparison) -> [Row] {
        [
            Row(name: "requests alone", comparison.realtime),
            Row(name: "jobs alone", endpoints: comparison.async.endpoints),
            Row(name: "both silos", endpoints: comparison.silos), Row(name: "one pool", comparison.pool),
        ]
    }

    /// Times in milliseconds; "-" where there is nothing to tell.
    func cells(_ row: Row) -> [String] {
        [
            row.name, "\(row.endpoints)", (Double(row.endpoints) * hours).fixed(2),
            price.map { (Double(row.endpoints) * hours * $0).fixed(2) } ?? "-", row.firstToken?.fixed(0) ?? "-",
            row.perToken?.fixed(1) ?? "-",
        ]
    }

    /// What a manager needs of it all.
    var sentences: [String] {
        guard comparisons.isEmpty else { return comparisons.map { $0.sentence(hours: hours, price: price) } }
        let count = realtime.endpoints == 1 ? "1 endpoint" : "\(realtime.endpoints) endpoints"
        return ["The smallest fleet that meets the objectives is \(count) of \(profile)."]
    }

    var goals: String {
        let goals = [("TTFT", objectives.firstToken), ("TPOT", objectives.perToken)].compactMap { name, goal in
            goal.map { "\(name) p99 within \($0.short) ms" }
        }
        return goals.joined(separator: ", ") + "; \(profile); \(seconds.fixed(0)) s of traffic"
    }

    var text: String {
        var lines = ["objectives: \(goals)"]
        if comparisons.isEmpty { lines += [row(PlanReport.head), row(cells(Row(name: "requests", realtime)))] }
        for comparison in comparisons {
            lines.append("backlog: \(comparison.backlog)")
            lines.append(row(PlanReport.head))
            lines += rows(comparison).map { row(cells($0)) }
            let (difference, percent) = (abs(comparison.saved), abs(comparison.savedPercent).fixed(1))
            lines.append(
                comparison.saved < 0
                    ? "saved: none, one pool needs \(difference) endpoints more (\(percent) %)"
                    : "saved: \(difference) endpoints, \(percent) %")
        }
        return (lines + sentences).joined(separator: "\n") + "\n"
    }

    private func row(_ cells: [String]) -> String {
        cells.enumerated().map { index, cell in
            let pad = String(repeating: " ", count: max(0, (index == 0 ? 16 : 14) - cell.count))
            return index == 0 ? cell + pad : pad + cell
        }.joined(separator: " ")
    }

    // MARK: JSON

    var json: String {
        let goals = "\"ttft_p99_ms\":\(number(objectives.firstToken)),\"tpot_p99_ms\":\(number(objectives.perToken))"
        let each = comparisons.map { comparison in
            "{\"async_tokens_ratio\":\(number(comparison.ratio)),\"jobs\":\(comparison.jobs),"
                + "\"async\":\(object(comparison.async)),\"silos\":{\"endpoints\":\(comparison.silos)},"
                + "\"pool\":\(object(comparison.pool)),\"saved_endpoints\":\(comparison.saved),"
                + "\"saved_percent\":\(comparison.savedPercent.fixed(2))}"
        }
        return "{\"profile\":\"\(profile)\",\"seconds\":\(seconds.fixed(3)),\"price\":\(number(price)),"
            + "\"objectives\":{\(goals)},\"realtime\":\(object(realtime)),\"comparisons\":[\(each.joined(separator: ",\n"))]}\n"
    }

    private func object(_ trial: FleetTrial) -> String {
        "{\"endpoints\":\(trial.endpoints),\"endpoint_hours\":\((Double(trial.endpoints) * hours).fixed(4)),"
            + "\"ttft_p99_ms\":\(trial.firstToken.fixed(3)),\"tpot_p99_ms\":\(trial.perToken.fixed(3))}"
    }

    private func number(_ value: Double?) -> String { value.map { $0.fixed(4) } ?? "null" }
}

extension PlanReport.Row {
    init(name: String, _ trial: FleetTrial) {
        self.init(name: name, endpoints: trial.endpoints, firstToken: trial.firstToken, perToken: trial.perToken)
    }
}
