import ArgumentParser
import EngineModel
import NIOCore
import NIOPosix
import ServiceLifecycle
import UnixSignals

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// `neap engine`: a simulated model server.
struct EngineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "engine", abstract: "Runs a simulated model server with vLLM's HTTP surface.",
        discussion: """
            Step times, KV capacity and batch limits come from the profile; every limit can be set by itself. Prints \
            'listening on URL' when it takes connections. Faults: \(FaultPlan.keys.joined(separator: ", ")). They can \
            be changed at run time with POST /admin/faults (the same keys as JSON) and cleared with DELETE.
            """)

    @Option(help: "Address to listen on.") var host = "127.0.0.1"
    @Option(help: "Port to listen on; 0: the system chooses.") var port = 8000
    @Option(help: "The model's name in requests and answers.") var model = "llama-3.1-8b"
    @Option(name: .customLong("served-model-name"), help: "One more name for the model. May be repeated.")
    var aliases: [String] = []
    @Option(name: .customLong("lora"), help: "Name of an adapter to serve. May be repeated.")
    var adapters: [String] = []
    @Option(help: "Model and accelerator to simulate: \(EngineProfile.all.map(\.id).joined(separator: ", ")).")
    var profile = EngineProfile.standard.id
    @Option(help: "How many times faster than the profile everything happens.") var speed = 1.0
    @Option(help: "Most sequences in one step. Default: the profile's.") var maxNumSeqs: Int?
    @Option(help: "Most tokens computed in one step. Default: the profile's.") var maxNumBatchedTokens: Int?
    @Option(help: "KV capacity in tokens. Default: the profile's.") var kvTokens: Int?
    @Option(help: "Longest context in tokens. Default: the profile's, or less where --kv-tokens is less.")
    var maxModelLen: Int?
    @Option(help: "Sequences waiting or running beyond which requests get 503. Default: no limit.")
    var maxNumQueuedReqs: Int?
    @Option(help: "Prompt tokens to prefill beyond which requests get 503. Default: no limit.")
    var maxNumQueuedTokens: Int?
    @Option(help: "Order of the waiting queue: fcfs or priority.") var schedulingPolicy = "fcfs"
    @Option(help: "Seed of answers and step noise; engines of one pool should share it.") var seed: UInt64 = 0
    @Option(help: "Spread of the lognormal noise on step times, 0 to 1.") var noise = 0.04
    @Option(help: "Mean answer length in tokens where answers end by themselves.") var meanOutputTokens = 256
    @Option(help: "Seconds after the start during which everything answers 503.") var startupDelay = 0.0
    @Option(help: "Milliseconds between a request's arrival and its place in the queue, before --speed.")
    var requestOverhead = 5.0
    @Option(name: .customLong("fault"), help: "A fault from the start: KEY or KEY=VALUE. May be repeated.")
    var faults: [String] = []

    mutating func run() async throws {
        let options = try options()
        let service = EngineService(options: options)
        var configuration = ServiceGroupConfiguration(
            services: [.init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: EngineService.silence)
        configuration.maximumGracefulShutdownDuration = .seconds(5)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let failure as EngineServer.Failure {
            throw ValidationError(failure.description)
        }
    }

    func options() throws -> EngineOptions {
        guard let profile = EngineProfile.named(profile) else {
            throw ValidationError(
                "unknown profile '\(profile)'; known: \(EngineProfile.all.map(\.id).joined(separator: ", "))")
        }
        var options = EngineOptions(model: model, profile: profile)
        options.host = host
        guard (0...65_535).contains(port) else { throw ValidationError("--port takes 0 to 65535, found \(port)") }
        options.port = port
        options.aliases = aliases
        options.adapters = adapters
        options.engine = try engineSettings(profile)
        guard (0.001...1e6).contains(speed) else {
            throw ValidationError("--speed takes 0.001 to 1000000, found \(speed)")
        }
        options.speed = speed
        guard (0...86_400).contains(startupDelay) else {
            throw ValidationError("--startup-delay takes 0 to 86400 seconds, found \(startupDelay)")
        }
        options.startupDelay = .nanoseconds(Int64(startupDelay * 1e9))
        guard (0...60_000).contains(requestOverhead) else {
            throw ValidationError("--request-overhead takes 0 to 60000 milliseconds, found \(requestOverhead)")
        }
        options.requestOverhead = .nanoseconds(Int64(requestOverhead * 1e6))
        do throws(FaultPlan.Mistake) {
            for fault in faults { try options.faults.set(flag: fault) }
        } catch {
            throw ValidationError(error.description)
        }
        return options
    }

    private func engineSettings(_ profile: EngineProfile) throws -> EngineSettings {
        var settings = EngineSettings(profile: profile)
        settings.kvTokens = kvTokens ?? settings.kvTokens
        settings.maximumModelLength =
            maxModelLen ?? min(settings.maximumModelLength, settings.blocks * settings.blockSize)
        settings.maximumSequences = maxNumSeqs ?? settings.maximumSequences
        settings.batchTokens = maxNumBatchedTokens ?? settings.batchTokens
        settings.maximumQueuedSequences = maxNumQueuedReqs
        settings.maximumQueuedTokens = maxNumQueuedTokens
        settings.seed = seed
        settings.noiseSigma = noise
        settings.meanOutputTokens = meanOutputTokens
        switch schedulingPolicy {
        case "fcfs": settings.policy = .firstComeFirstServed
        case "priority": settings.policy = .priority
        default: throw ValidationError("--scheduling-policy takes fcfs or priority, found '\(schedulingPolicy)'")
        }
        if let problem = settings.problem { throw ValidationError(problem) }
        return settings
    }
}
