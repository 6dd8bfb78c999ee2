import Simulation

/// The figures of several policies on one trace, for people and as JSON.
struct SimulationReport {
    struct Run {
        var name: String
        var result: SimulationResult
        /// How long it took.
        var seconds: Double
        /// The command that does it again.
        var replay: String
    }

    var firstTokenGoal: Double
    var perTokenGoal: Double
    /// Nil: it was not looked for.
    var capacitySpeed: Double?
    var speed = 1.0
    var runs: [Run] = []

    // MARK: For people

    var table: String {
        var lines: [String] = []
        if let capacitySpeed { lines.append("capacity: \(capacitySpeed.fixed(2)) times the trace's speed") }
        lines.append("speed: \(speed.fixed(2))")
        lines.append(row(SimulationReport.head))
        for run in runs {
            let result = run.result
            lines.append(row(cells(run)))
            if result.jobsCompleted > 0 {
                lines.append("  jobs: \(result.jobsCompleted) done, \(result.jobOutputTokens) output tokens")
            }
            for violation in result.violations { lines.append("  BROKEN: \(violation)") }
            if !result.violations.isEmpty { lines.append("  again with: \(run.replay)") }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    static let head = [
        "policy", "ttft p50", "p90", "p99", "tpot p50", "p99", "e2e p50", "hits", "max/mean", "good", "refused",
    ]

    /// One run's line of the table.
    func cells(_ run: Run) -> [String] {
        let (result, first) = (run.result, run.result.firstToken)
        return [
            run.name, quantile(first, 0.5).fixed(0), quantile(first, 0.9).fixed(0),
            quantile(first, 0.99).fixed(0), quantile(result.perToken, 0.5).fixed(1),
            quantile(result.perToken, 0.99).fixed(1), quantile(result.endToEnd, 0.5).fixed(0),
            (result.prefixHitRatio * 100).fixed(1) + "%", result.loadMaximumOverMean.fixed(3),
            (attainment(result) * 100).fixed(1) + "%", "\(result.refused + result.tooLong)",
        ]
    }

    private func row(_ cells: [String]) -> String {
        cells.enumerated().map { index, cell in
            let pad = String(repeating: " ", count: max(0, (index == 0 ? 24 : 9) - cell.count))
            return index == 0 ? cell + pad : pad + cell
        }.joined(separator: " ")
    }

    // MARK: JSON

    var json: String {
        let capacity = capacitySpeed.map { $0.fixed(4) } ?? "null"
        let policies = runs.map(jsonObject).joined(separator: ",\n")
        return "{\"capacity_speed\":\(capacity),\"speed\":\(speed.fixed(4)),\"policies\":[\n\(policies)\n]}\n"
    }

    private func jsonObject(_ run: Run) -> String {
        let result = run.result
        let seconds = max(1e-9, run.seconds)
        let fields = [
            "\"name\":\"\(run.name)\"", "\"requests\":\(result.requests)", "\"completed\":\(result.completed)",
            "\"cancelled\":\(result.cancelled)", "\"refused\":\(result.refused)", "\"too_long\":\(result.tooLong)",
            "\"ttft_ms\":\(quantiles(result.firstToken))", "\"tpot_ms\":\(quantiles(result.perToken))",
            "\"e2e_ms\":\(quantiles(result.endToEnd))", "\"prefix_hit_ratio\":\(result.prefixHitRatio.fixed(5))",
            "\"load_max_over_mean\":\(result.loadMaximumOverMean.fixed(4))",
            "\"slo_attainment\":\(attainment(result).fixed(5))",
            "\"async\":{\"completed\":\(result.jobsCompleted),\"output_tokens\":\(result.jobOutputTokens)}",
            "\"events\":\(result.events)", "\"events_per_s\":\((Double(result.events) / seconds).fixed(0))",
            "\"virtual_s_per_s\":\((result.virtualSeconds / seconds).fixed(1))",
            "\"decision_digest\":\"\(String(result.digest, radix: 16))\"",
        ]
        return "{" + fields.joined(separator: ",") + "}"
    }

    private func quantiles(_ values: [Double]) -> String {
        let shares = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)]
        return "{" + shares.map { "\"\($0.0)\":\(quantile(values, $0.1).fixed(3))" }.joined(separator: ",") + "}"
    }

    private func quantile(_ values: [Double], _ share: Double) -> Double { SimulationResult.quantile(values, share) }

    /// Share of the requests, without cancelled ones, whose first token and pace were good.
    private func attainment(_ result: SimulationResult) -> Double {
        let judged = result.requests - result.cancelled
        guard judged > 0 else { return 1 }
        return Double(result.good(firstToken: firstTokenGoal, perToken: perTokenGoal)) / Double(judged)
    }
}
