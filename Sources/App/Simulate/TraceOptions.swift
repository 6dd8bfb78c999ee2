import ArgumentParser
import Simulation

/// Which traffic a command replays.
struct TraceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A trace: Azure's CSV of 2023, Mooncake's JSON lines, or Neap's own trace log; '-': standard input.",
            discussion: TraceOptions.syntheticManual))
    var trace: String
    @Option(help: "How the trace is written: azure, mooncake or neap; without it its first line tells.")
    var format: String?
    @Option(help: "Only the requests of this model, of a trace log that holds several.")
    var model: String?
    @Option(help: "A part of the trace: FROM:TO in seconds.")
    var slice: String?
    @Option(
        help:
            "Stamps of the trace were rounded down to so many milliseconds: spread arrivals over them, in their order.")
    var jitter: Double?

    func validate() throws {
        if let format, TraceFormat(rawValue: format) == nil {
            let known = TraceFormat.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--format \(format) is not known; there are: \(known)")
        }
        if let jitter, !(jitter > 0 && jitter <= 86_400_000) {
            throw ValidationError("--jitter must be above 0 and at most 86400000 milliseconds, found \(jitter)")
        }
        if trace.hasPrefix(SyntheticTrace.mark) {
            if format != nil || model != nil {
                throw ValidationError("--format and --model are for traces in files, not for --trace synthetic:")
            }
            do { _ = try SyntheticTrace(trace) } catch { throw ValidationError(error.description) }
        }
        _ = try sliceBounds()
    }

    /// `seed`: of what is made up, and of jitter.
    func read(seed: UInt64) throws -> Trace {
        var trace = try whole(seed: seed)
        if let jitter { trace = trace.spread(over: Int64(jitter * 1e6), seed: seed) }
        if let bounds = try sliceBounds() { trace = trace.slice(from: bounds.0, to: bounds.1) }
        guard !trace.requests.isEmpty else { throw ValidationError("no request lies in --slice") }
        return trace
    }

    private func whole(seed: UInt64) throws -> Trace {
        if trace.hasPrefix(SyntheticTrace.mark) { return try SyntheticTrace(trace).generate(seed: seed) }
        let bytes = try TraceFile.read(trace)
        let format = format.flatMap { TraceFormat(rawValue: $0) } ?? TraceFormat(of: bytes)
        return try format.parse(bytes, file: trace, model: model)
    }

    /// The options that were given, for a command that does the same.
    var words: [String] {
        var words = ["--trace", trace]
        if let format { words += ["--format", format] }
        if let model { words += ["--model", model] }
        if let slice { words += ["--slice", slice] }
        if let jitter { words += ["--jitter", "\(jitter)"] }
        return words
    }

    private static var syntheticManual: String {
        let keys = SyntheticTrace.manual.map { "  \($0.name): \($0.meaning) (\($0.standard))" }
        return "Or made up: synthetic:KEY=VALUE,KEY=VALUE,... with these keys (and defaults):\n"
            + keys.joined(separator: "\n")
    }

    /// Nanoseconds.
    private func sliceBounds() throws -> (Int64, Int64)? {
        guard let slice else { return nil }
        let parts = slice.split(separator: ":", omittingEmptySubsequences: false).map { Double($0) }
        guard parts.count == 2, let from = parts[0], let to = parts[1], from >= 0, to > from, to < 1e9 else {
            throw ValidationError("--slice must be FROM:TO in seconds, found \(slice)")
        }
        return (Int64(from * 1e9), Int64(to * 1e9))
    }
}
