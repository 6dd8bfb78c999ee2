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
    @Option(help: "A file of faults, one to a line: KIND ENDPOINT AT LASTS, times in seconds of the run.")
    var faults: String?
    @Option(help: "Time to first token that counts as good, in milliseconds.")
    var sloTtft = 2000.0
    @Option(help: "Mean time per output token that counts as good, in milliseconds.")
    var sloTpot = 100.0
    @Option(help: "Write the figures as JSON to this file.")
    var json: String?

    func validate() throws {
        guard speed == nil || load == nil else { throw ValidationError("give --speed or --load, not both") }
        guard (1...4096).contains(endpoints) else { throw ValidationError("--endpoints must be 1 to 4096") }
        for value in [speed, load] {
            if let value, !(value > 0 && value <= 1000) {
                throw ValidationError("--speed and --load must be above 0 and at most 1000, found \(value)")
            }
        }
        _ = try chosenFleet()
        _ = try chosenPolicies()
    }

    func run() throws {
        let fleet = try chosenFleet()
        let trace = try traffic.read(seed: seed)
        let faults = try faultPlan()
        var report = SimulationReport(firstTokenGoal: sloTtft, perTokenGoal: sloTpot)
        var speed = self.speed ?? 1
        if let load {
            guard let capacity = Capacity.find(trace, endpoints: fleet, seed: seed) else {
                throw ValidationError("this fleet has no capacity for this trace that could be found; give --speed")
            }
            report.capacitySpeed = capacity
            speed = load * capacity
        }
        report.speed = speed
        for (name, picks) in try chosenPolicies() {
            var settings = SimulationSettings(endpoints: fleet)
            settings.pool.profile = picks
            settings.seed = seed
            settings.speed = speed
            settings.faults = faults
            settings.jobs = trace.jobs
            let clock = ContinuousClock()
            let began = clock.now
            var world = World(trace: trace, settings: settings)
            let result = world.run()
            report.runs.append(SimulationReport.Run(name: name, result: result, seconds: (clock.now - began).seconds))
        }
        StandardOutput.write(report.table)
        if let json { try report.write(to: json) }
        if report.runs.contains(where: { !$0.result.violations.isEmpty }) { throw ExitCode(1) }
    }

    private func faultPlan() throws(TraceFault) -> [EngineFault] {
        guard let faults else { return [] }
        let text = String(decoding: try TraceFile.read(faults), as: UTF8.self)
        return try FaultLines.parse(text, file: faults, endpoints: endpoints)
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
