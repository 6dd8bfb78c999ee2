import ArgumentParser
import EndpointPicking
import EngineModel
import FleetTracking
import Scheduling
import Simulation

/// `neap simulate`: a trace against simulated engines, with the scheduler that also runs live.
struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Replays a trace through the scheduler and simulated engines, in virtual time.",
        discussion: "The same trace, seed and binary give the same decisions: see the decision digest.")

    @OptionGroup var traffic: TraceOptions
    @Option(help: "The engines' model and accelerator, as of 'neap engine'; several with commas share the endpoints.")
    var profile = EngineProfile.standard.id
    @Option(help: "How many endpoints.")
    var endpoints = 8
    @Option(help: "So many times the trace's own speed.")
    var speed: Double?
    @Option(help: "A share of the fleet's capacity, which is found first (0.7, 0.95, ...).")
    var load: Double?
    @Option(help: "Policies with commas, or 'all'.")
    var policy = "neap"
    @Option(help: "Seeds everything random.")
    var seed: UInt64 = 1
    @Option(
        help: "A file of faults, one to a line: KIND ENDPOINT AT LASTS, times in seconds of the run; or random:COUNT.")
    var faults: String?
    @Option(help: "Time to first token that counts as good, in milliseconds.")
    var sloTtft = 2000.0
    @Option(help: "Mean time per output token that counts as good, in milliseconds.")
    var sloTpot = 100.0
    @Flag(
        inversion: .prefixedNo, help: "Tell on standard error how far it is; otherwise only where that is a terminal.")
    var progress: Bool?
    @Option(help: "Write the figures as JSON to this file.")
    var json: String?
    @Option(help: "Write a page of plots and figures to this file, for a browser: one file, nothing is fetched.")
    var report: String?

    func validate() throws {
        guard speed == nil || load == nil else { throw ValidationError("give --speed or --load, not both") }
        guard (1...4096).contains(endpoints) else { throw ValidationError("--endpoints must be 1 to 4096") }
        // A load's speed, which a replay names, may be a thousand times a load of a thousand.
        for (name, value, most) in [("speed", speed, 1e6), ("load", load, 900)] {
            if let value, !(value > 0 && value <= most) {
                throw ValidationError("--\(name) must be above 0 and at most \(most), found \(value)")
            }
        }
        _ = try chosenFleet()
        _ = try chosenPolicies()
        _ = try randomFaults()
    }

    func run() throws {
        let fleet = try chosenFleet()
        let trace = try traffic.read(seed: seed)
        var figures = SimulationReport(firstTokenGoal: sloTtft, perTokenGoal: sloTpot)
        var speed = self.speed ?? 1
        var line = ProgressLine(isWanted: progress)
        if let load {
            let found = Capacity.find(trace, endpoints: fleet, seed: seed) { line.show("capacity: trying speed \($0)") }
            line.clear()
            guard let capacity = found else {
                throw ValidationError("this fleet has no capacity for this trace that could be found; give --speed")
            }
            figures.capacitySpeed = capacity
            speed = load * capacity
        }
        figures.speed = speed
        var settings = SimulationSettings(endpoints: fleet)
        settings.seed = seed
        settings.speed = speed
        settings.faults = try faultPlan(span: settings.scaled(trace.span))
        settings.jobs = trace.jobs
        for (name, picks) in try chosenPolicies() {
            settings.pool.profile = picks
            let clock = ContinuousClock()
            let began = clock.now
            var world = World(trace: trace, settings: settings)
            let result = world.run(tellingEvery: 20_000) { line.show($0, of: name, after: (clock.now - began).seconds) }
            line.clear()
            figures.runs.append(
                SimulationReport.Run(
                    name: name, result: result, seconds: (clock.now - began).seconds,
                    replay: replay(policy: name, speed: speed)))
        }
        StandardOutput.write(figures.table)
        if let json { try ReportFile.write(figures.json, to: json) }
        if let report {
            let page = SimulationPage(report: figures, subtitle: replay(policy: policy, speed: speed))
            try ReportFile.write(page.html, to: report)
        }
        if figures.runs.contains(where: { !$0.result.violations.isEmpty }) { throw ExitCode(1) }
    }

    /// `span`: the arrivals', in the run's nanoseconds.
    private func faultPlan(span: Int64) throws -> [EngineFault] {
        guard let faults else { return [] }
        if let count = try randomFaults() {
            return EngineFault.random(count, endpoints: endpoints, span: span, seed: seed)
        }
        let text = String(decoding: try TraceFile.read(faults), as: UTF8.self)
        return try FaultLines.parse(text, file: faults, endpoints: endpoints)
    }

    private func randomFaults() throws -> Int? {
        guard let faults, faults.hasPrefix("random:") else { return nil }
        guard let count = Int(faults.dropFirst("random:".count)), (1...FaultLines.limit).contains(count) else {
            throw ValidationError("--faults random:COUNT takes 1 to \(FaultLines.limit), found \(faults)")
        }
        return count
    }

    /// The command that runs one policy once more, exactly. A load is told as the speed that it came to.
    func replay(policy: String, speed: Double) -> String {
        var words = ["neap", "simulate"] + traffic.words
        words += ["--profile", profile, "--endpoints", "\(endpoints)", "--speed", "\(speed)", "--policy", policy]
        words += ["--seed", "\(seed)"]
        if let faults { words += ["--faults", faults] }
        return ShellWord.line(words)
    }

    private func chosenFleet() throws -> [EngineProfile] {
        let kinds = try profile.split(separator: ",").map { id in
            guard let found = EngineProfile.named(String(id)) else {
                let known = EngineProfile.all.map(\.id).joined(separator: ", ")
                throw ValidationError("--profile \(id) is not known; there are: \(known)")
            }
            return found
        }
        guard !kinds.isEmpty else { throw ValidationError("--profile must name at least one") }
        return (0..<endpoints).map { kinds[$0 % kinds.count] }
    }

    private func chosenPolicies() throws -> [(name: String, profile: PickProfile)] {
        if policy == "all" { return Policies.all.map { ($0.name, $0.profile) } }
        return try policy.split(separator: ",").map { name in
            guard let found = Policies.named(String(name)) else {
                let known = Policies.all.map(\.name).joined(separator: ", ")
                throw ValidationError("--policy \(name) is not known; there are: all, \(known)")
            }
            return (String(name), found)
        }
    }
}
