import Glibc
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
        if let capacitySpeed { lines.append("capacity: \(fixed(capacitySpeed, 2)) times the trace's speed") }
        lines.append("speed: \(fixed(speed, 2))")
        lines.append(
            row([
                "policy", "ttft p50", "p90", "p99", "tpot p50", "p99", "e2e p50", "hits", "max/mean", "good", "refused",
            ]))
        for run in runs {
            let (result, first) = (run.result, run.result.firstToken)
            lines.append(
                row([
                    run.name, fixed(quantile(first, 0.5), 0), fixed(quantile(first, 0.9), 0),
                    fixed(quantile(first, 0.99), 0), fixed(quantile(result.perToken, 0.5), 1),
                    fixed(quantile(result.perToken, 0.99), 1), fixed(quantile(result.endToEnd, 0.5), 0),
                    fixed(result.prefixHitRatio * 100, 1) + "%", fixed(result.loadMaximumOverMean, 3),
                    fixed(attainment(result) * 100, 1) + "%", "\(result.refused + result.tooLong)",
                ]))
            if result.jobsCompleted > 0 {
                lines.append("  jobs: \(result.jobsCompleted) done, \(result.jobOutputTokens) output tokens")
            }
            for violation in result.violations { lines.append("  BROKEN: \(violation)") }
            if !result.violations.isEmpty { lines.append("  again with: \(run.replay)") }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func row(_ cells: [String]) -> String {
        cells.enumerated().map { index, cell in
            let pad = String(repeating: " ", count: max(0, (index == 0 ? 24 : 9) - cell.count))
            return index == 0 ? cell + pad : pad + cell
        }.joined(separator: " ")
    }

    // MARK: JSON

    func write(to path: String) throws(TraceFault) {
        guard let file = fopen(path, "w") else {
            throw TraceFault(file: path, line: 0, message: "cannot be written: \(String(cString: strerror(errno)))")
        }
        let isWritten = fputs(json, file) >= 0
        guard fclose(file) == 0, isWritten else {
            throw TraceFault(file: path, line: 0, message: "cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    var json: String {
        let capacity = capacitySpeed.map { fixed($0, 4) } ?? "null"
        let policies = runs.map(jsonObject).joined(separator: ",\n")
        return "{\"capacity_speed\":\(capacity),\"speed\":\(fixed(speed, 4)),\"policies\":[\n\(policies)\n]}\n"
    }

    private func jsonObject(_ run: Run) -> String {
        let result = run.result
        let seconds = max(1e-9, run.seconds)
        let fields = [
            "\"name\":\"\(run.name)\"", "\"requests\":\(result.requests)", "\"completed\":\(result.completed)",
            "\"cancelled\":\(result.cancelled)", "\"refused\":\(result.refused)", "\"too_long\":\(result.tooLong)",
            "\"ttft_ms\":\(quantiles(result.firstToken))", "\"tpot_ms\":\(quantiles(result.perToken))",
            "\"e2e_ms\":\(quantiles(result.endToEnd))", "\"prefix_hit_ratio\":\(fixed(result.prefixHitRatio, 5))",
            "\"load_max_over_mean\":\(fixed(result.loadMaximumOverMean, 4))",
            "\"slo_attainment\":\(fixed(attainment(result), 5))",
            "\"async\":{\"completed\":\(result.jobsCompleted),\"output_tokens\":\(result.jobOutputTokens)}",
            "\"events\":\(result.events)", "\"events_per_s\":\(fixed(Double(result.events) / seconds, 0))",
            "\"virtual_s_per_s\":\(fixed(result.virtualSeconds / seconds, 1))",
            "\"decision_digest\":\"\(String(result.digest, radix: 16))\"",
        ]
        return "{" + fields.joined(separator: ",") + "}"
    }

    private func quantiles(_ values: [Double]) -> String {
        let shares = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)]
        return "{" + shares.map { "\"\($0.0)\":\(fixed(quantile(values, $0.1), 3))" }.joined(separator: ",") + "}"
    }

    private func quantile(_ values: [Double], _ share: Double) -> Double { SimulationResult.quantile(values, share) }

    /// Share of the requests, without cancelled ones, whose first token and pace were good.
    private func attainment(_ result: SimulationResult) -> Double {
        let judged = result.requests - result.cancelled
        guard judged > 0 else { return 1 }
        return Double(result.good(firstToken: firstTokenGoal, perToken: perTokenGoal)) / Double(judged)
    }

    private func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "0" }
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = Int64((min(1e15, max(-1e15, value)) * scale).rounded())
        guard digits > 0 else { return "\(whole)" }
        let text = String(whole.magnitude)
        let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
        return (whole < 0 ? "-" : "") + padded.dropLast(digits) + "." + padded.suffix(digits)
    }
}
