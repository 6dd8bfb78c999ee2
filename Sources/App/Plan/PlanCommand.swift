import ArgumentParser
import EngineModel
import Simulation

/// `neap plan`: how many endpoints a trace needs, and what one pool saves against two.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "Finds the smallest fleet for a trace, and what one pool saves against two fleets.",
        discussion: """
            Every size is tried in a simulation with the scheduler that also runs live. With a backlog of jobs
            (--async-tokens, or jobs of the trace itself) three fleets are sized: one for the requests alone, one that
            does the backlog alone within the trace's time, and one pool that meets the objectives and does both.
            """)

    /// The most ratios of one plan: each is some dozen simulations.
    static let mostRatios = 8

    @OptionGroup var traffic: TraceOptions
    @Option(help: "The engines' model and accelerator, as of 'neap engine'.")
    var profile = EngineProfile.standard.id
    @Option(help: "Milliseconds within which 99 of 100 requests must have their first token.")
    var ttftP99 = 2000.0
    @Option(help: "Milliseconds within which the mean of a request's further tokens must come, for 99 of 100 requests.")
    var tpotP99 = 100.0
    @Option(help: "Money for one endpoint and hour, in any currency.")
    var price: Double?
    @Option(
        parsing: .upToNextOption,
        help: "A backlog of jobs with so many times the requests' tokens, and of their lengths; several are compared.")
    var asyncTokens: [Double] = []
    @Option(help: "The largest fleet that is tried.")
    var maxEndpoints = 256
    @Option(help: "So many times the trace's own speed.")
    var speed = 1.0
    @Option(help: "Seeds everything random.")
    var seed: UInt64 = 1
    @Flag(
        inversion: .prefixedNo, help: "Tell on standard error what is tried; otherwise only where that is a terminal.")
    var progress: Bool?
    @Option(help: "Write the figures as JSON to this file.")
    var json: String?
    @Option(help: "Write a page with a picture and the figures to this file, for a browser.")
    var report: String?

    func validate() throws {
        guard EngineProfile.named(profile) != nil else {
            let known = EngineProfile.all.map(\.id).joined(separator: ", ")
            throw ValidationError("--profile \(profile) is not known; there are: \(known)")
        }
        guard (1...4096).contains(maxEndpoints) else { throw ValidationError("--max-endpoints must be 1 to 4096") }
        guard asyncTokens.count <= PlanCommand.mostRatios else {
            throw ValidationError("--async-tokens takes at most \(PlanCommand.mostRatios) ratios")
        }
        let amounts =
            [("ttft-p99", ttftP99, 1e9), ("tpot-p99", tpotP99, 1e9), ("speed", speed, 1e6)]
            + (price.map { [("price", $0, 1e9)] } ?? []) + asyncTokens.map { ("async-tokens", $0, 1000) }
        for (name, value, most) in amounts where !(value > 0 && value <= most) {
            throw ValidationError("--\(name) must be above 0 and at most \(most.short), found \(value.short)")
        }
    }

    func run() throws {
        guard let engine = EngineProfile.named(profile) else { return }
        let trace = try traffic.read(seed: seed)
        var plan = FleetPlan(
            trace: trace, profile: engine, objectives: Objectives(firstToken: ttftP99, perToken: tpotP99))
        (plan.seed, plan.speed, plan.mostEndpoints) = (seed, speed, maxEndpoints)
        var line = ProgressLine(isWanted: progress)
        let realtime = try sized("requests alone", &line, plan.realtimeFleet)
        var figures = PlanReport(
            profile: profile, seconds: plan.seconds, objectives: plan.objectives, price: price, realtime: realtime,
            command: ShellWord.line(words))
        var backlogs: [(ratio: Double?, jobs: [TraceRequest])] = asyncTokens.map { ($0, plan.backlog(ratio: $0)) }
        if backlogs.isEmpty, !trace.jobs.isEmpty { backlogs = [(nil, trace.jobs)] }
        for backlog in backlogs {
            guard backlog.jobs.count < FleetPlan.mostJobs else {
                throw ValidationError(
                    "a backlog has at most \(FleetPlan.mostJobs) jobs; give --slice or less --async-tokens")
            }
            let async = try sized("jobs alone", &line) { plan.asyncFleet(for: backlog.jobs, trying: $0) }
            let pool = try sized("one pool", &line) { plan.pool(with: backlog.jobs, trying: $0) }
            figures.comparisons.append(
                FleetComparison(
                    ratio: backlog.ratio, jobs: backlog.jobs.count, realtime: realtime, async: async, pool: pool))
        }
        StandardOutput.write(figures.text)
        if let json { try ReportFile.write(figures.json, to: json) }
        if let report { try ReportFile.write(PlanPage(plan: figures).html, to: report) }
    }

    /// The fleet that was found, or an error that says what it misses.
    private func sized(
        _ name: String, _ line: inout ProgressLine, _ search: ((Int) -> Void) -> FleetTrial
    ) throws -> FleetTrial {
        let trial = search { line.show("\(name): trying \($0) endpoints") }
        line.clear()
        guard trial.meets else {
            throw PlanFailure(fleet: name, trial: trial)
        }
        return trial
    }

    private var words: [String] {
        var words = ["neap", "plan"] + traffic.words + ["--profile", profile]
        words += [
            "--ttft-p99", ttftP99.short, "--tpot-p99", tpotP99.short, "--speed", speed.short, "--seed", "\(seed)",
        ]
        if let price { words += ["--price", price.short] }
        if !asyncTokens.isEmpty { words += ["--async-tokens"] + asyncTokens.map(\.short) }
        return words + ["--max-endpoints", "\(maxEndpoints)"]
    }
}

/// No fleet that may be tried does what is asked.
struct PlanFailure: Error, CustomStringConvertible {
    var fleet: String
    var trial: FleetTrial

    var description: String {
        "\(fleet): not even \(trial.endpoints) endpoints are enough: \(trial.misses.joined(separator: "; ")). "
            + "Raise the objective or --max-endpoints, or take a faster --profile."
    }
}
