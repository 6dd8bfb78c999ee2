import FleetTracking
import Foundation
import Logging
import NIOCore
import NIOPosix
import SchedulerRuntime
import Scheduling
import Synchronization
import Testing

/// Keeps the events that the scheduler is given, and wakes who waits for one.
private final class EventRecorder: Sendable {
    let events: AsyncStream<Event>
    private let continuation: AsyncStream<Event>.Continuation

    init() { (events, continuation) = AsyncStream.makeStream(of: Event.self) }

    func take(_ event: Event) { continuation.yield(event) }

    /// Returns with the first event from now on that fits.
    func wait(_ fits: (Event) -> Bool) async {
        for await event in events where fits(event) { return }
    }
}

/// A certificate that reads as an authority's; nothing here is signed by it.
private let authority = """
    -----BEGIN CERTIFICATE-----
    MIIBkzCCATmgAwIBAgIUKoYsUSrSLhMuElg3kp5m0NR1zJ8wCgYIKoZIzj0EAwIw
    HjEcMBoGA1UEAwwTbmVhcCB0ZXN0IGF1dGhvcml0eTAgFw0yNjExMjcxOTUzNTVa
    GA8yMTI2MTEwMzE5NTM1NVowHjEcMBoGA1UEAwwTbmVhcCB0ZXN0IGF1dGhvcml0
    eTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAiE5FoiVWWRslxO4DhPDowBfkT3
    QZoGOVBCfzdBZSW4Vr/BUXIgT+N9GHMh4oSC8q192pnCawxBcey+9fEIacmjUzBR
    MB0GA1UdDgQWBBSa3cCZITUoH82tjkwJehK8TPu/JjAfBgNVHSMEGDAWgBSa3cCZ
    ITUoH82tjkwJehK8TPu/JjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gA
    MEUCIQCfrkVayLzX3tLRD/MNul1H5Hos2pOwMLT39vyIIkRvLwIgd9eFOswEy796
    cn23OwCSUoDE7dTje74roCNnTdo8YnE=
    -----END CERTIFICATE-----
    """

/// How often each message was logged.
private final class LineCount: Sendable {
    private let counts = Mutex<[String: Int]>([:])

    func add(_ message: String) { counts.withLock { $0[message, default: 0] += 1 } }
    func count(of message: String) -> Int { counts.withLock { $0[message] ?? 0 } }
}

private struct CountingLogHandler: LogHandler {
    let lines: LineCount
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { lines.add(event.message.description) }
}

@Suite(.timeLimit(.minutes(2))) struct EndpointWatchTests {
    private let group = MultiThreadedEventLoopGroup.singleton

    private func specification(_ port: Int) throws -> EndpointSpecification {
        try EndpointSpecification.parse(url: "http://127.0.0.1:\(port)").get()
    }

    private func silentLogger() -> Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// Runs a watch over `pools` until `body` returns.
    private func watching(
        _ pools: [PoolDescription], logger: Logger? = nil,
        _ body: @escaping @Sendable (EventRecorder, EndpointRegistry, DirectoryHolder, Readiness) async throws -> Void
    ) async throws {
        var settings = WatchSettings()
        settings.scrapeInterval = .milliseconds(20)
        settings.healthInterval = .milliseconds(20)
        let recorder = EventRecorder()
        let host = SchedulerHost(loops: [group.next()]) { event, _, _ in recorder.take(event) }
        let directory = DirectoryHolder()
        let registry = EndpointRegistry(host: host, directory: directory, names: Names())
        let readiness = Readiness()
        registry.apply(pools)
        let watch = EndpointWatch(
            settings: settings, registry: registry, host: host, readiness: readiness, logger: logger ?? silentLogger())
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await watch.run() }
            try await body(recorder, registry, directory, readiness)
            registry.finish()
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
    }

    @Test(.timeLimit(.minutes(1))) func modelsAreLearnedAndSamplesArrive() async throws {
        let engine = FakeEngine([
            "/v1/models": .status(200, #"{"data":[{"id":"m1"},{"id":"a/b"}]}"#),
            "/metrics": .status(200, "vllm:num_requests_running 4\n"), "/health": .status(200, ""),
        ])
        let port = try await engine.start(on: group)
        var pool = PoolDescription(name: "p", allowedPaths: ["/v1/chat/completions"])
        pool.endpoints = [try specification(port)]
        try await watching([pool]) { recorder, registry, directory, readiness in
            await recorder.wait { if case .endpointModels(_, let models) = $0 { models.count == 2 } else { false } }
            await recorder.wait { if case .sampled(_, let sample) = $0 { sample.running == 4 } else { false } }
            await recorder.wait { if case .probed(_, let healthy) = $0 { healthy } else { false } }
            #expect(directory.current.models.keys.sorted() == ["a/b", "m1"])
            #expect(readiness.report.isFirstRoundTried)
            #expect(registry.statuses()[0].kind == .vllm)
            #expect(directory.current.endpoint(EndpointID(0))?.kind == .vllm)
            engine.set("/v1/models", .status(200, #"{"data":[{"id":"m2"}]}"#))
            engine.set("/health", .status(503, ""))
            await recorder.wait { if case .probed(_, let healthy) = $0 { !healthy } else { false } }
            engine.set("/health", .status(200, ""))
            await recorder.wait { if case .endpointModels(_, let models) = $0 { models.count == 1 } else { false } }
            #expect(directory.current.models.keys.sorted() == ["m2"])
        }
        try await engine.stop()
    }

    /// An engine whose list cannot be read serves what the configuration says now, not what it said at the start.
    @Test(.timeLimit(.minutes(1))) func aReloadsModelsReachEnginesWithoutAList() async throws {
        let recorder = EventRecorder()
        let host = SchedulerHost(loops: [group.next()]) { event, _, _ in recorder.take(event) }
        let registry = EndpointRegistry(host: host, directory: DirectoryHolder(), names: Names())
        var pool = PoolDescription(name: "p", allowedPaths: [], models: ["a"])
        pool.endpoints = [try specification(1)]
        registry.apply([pool])
        pool.models = ["a", "b"]
        registry.apply([pool])
        await recorder.wait { if case .endpointModels(_, let models) = $0 { models.count == 2 } else { false } }
        registry.finish()
    }

    @Test(.timeLimit(.minutes(1))) func aReloadsLimitsReachEnginesThatStay() async throws {
        let host = SchedulerHost(scheduler: Scheduler(seed: 1, pools: [PoolSettings()]), loops: [group.next()])
        let registry = EndpointRegistry(host: host, directory: DirectoryHolder(), names: Names())
        func limit() -> Int { host.inspect { $0.snapshot(at: $1) }.endpoints[0].maximumSequences }
        var pool = PoolDescription(name: "p", allowedPaths: [], models: ["a"])
        pool.endpoints = [try specification(1)]
        registry.apply([pool])
        let assumed = limit()
        pool.endpoints[0].maximumSequences = 7
        registry.apply([pool])
        #expect(limit() == 7)
        pool.endpoints[0].maximumSequences = nil
        registry.apply([pool])
        #expect(limit() == assumed)
        registry.finish()
        host.stop()
    }

    /// What sends requests reads the kind in the directory.
    @Test(.timeLimit(.minutes(1))) func theKindIsWhatTheLastMetricsPageSays() async throws {
        let engine = FakeEngine([:])
        var pool = PoolDescription(name: "p", allowedPaths: [], models: ["m"])
        pool.endpoints = [try specification(try await engine.start(on: group))]
        let described = pool
        try await watching([pool]) { recorder, registry, directory, _ in
            func kind() -> EngineKind? { directory.current.endpoint(EndpointID(0))?.kind }
            for (page, expected) in [
                ("vllm:num_requests_running 1\n", EngineKind.vllm), ("sglang:num_running_reqs 1\n", .sglang),
                ("llamacpp:requests_processing 1\n", .llamacpp),
            ] {
                engine.set("/metrics", .status(200, page))
                await recorder.wait { if case .sampled = $0 { kind() == expected } else { false } }
                #expect(registry.statuses()[0].kind == expected)
            }
            // An engine that does not answer is still what it was, also under another credential.
            engine.set("/metrics", .status(500, ""))
            await recorder.wait { if case .sampleFailed = $0 { true } else { false } }
            var changed = described
            changed.endpoints[0].authorization = "Bearer new"
            registry.apply([changed])
            await recorder.wait { if case .sampleFailed = $0 { true } else { false } }
            #expect(kind() == .llamacpp)
            #expect(directory.current.endpoint(EndpointID(0))?.authorization == "Bearer new")
            // One that answers without metrics may be any.
            engine.set("/metrics", .status(404, ""))
            await recorder.wait { if case .sampleFailed = $0 { kind() == .unknown } else { false } }
        }
        try await engine.stop()
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            FakeEngine.Answer.status(404, ""), .status(500, ""), .status(200, "<html>"), .silence, .hangUp,
            .status(200, "vllm:num_requests_running NaN\n"), .status(200, "llamacpp:requests_processing 900000\n"),
        ])
    func metricsThatAreMissingOrLieDoNotStopTraffic(_ page: FakeEngine.Answer) async throws {
        let engine = FakeEngine(["/metrics": page, "/health": .status(200, "")])
        var pool = PoolDescription(name: "p", allowedPaths: [], models: ["m"])
        pool.endpoints = [try specification(try await engine.start(on: group))]
        let host = SchedulerHost(scheduler: Scheduler(seed: 1, pools: [PoolSettings()]), loops: [group.next()])
        let names = Names()
        let registry = EndpointRegistry(host: host, directory: DirectoryHolder(), names: names)
        registry.apply([pool])
        var settings = WatchSettings()
        settings.scrapeInterval = .milliseconds(20)
        settings.healthInterval = .milliseconds(20)
        settings.absentMetricsInterval = .milliseconds(20)
        settings.scrapeTimeout = .milliseconds(50)
        let watch = EndpointWatch(
            settings: settings, registry: registry, host: host, readiness: Readiness(), logger: silentLogger())
        await withTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try? await watch.run() }
            while true {
                let status = registry.statuses()[0]
                let scrapes = status.scrapesDone + status.scrapesAbsent + status.scrapesFailed
                if Task.isCancelled || (scrapes >= 3 && status.checksHealthy >= 3) { break }
                await Task.yield()
            }
            host.submit(
                .arrived(
                    Arrival(
                        work: host.makeWorkID(loop: 0), pool: PoolID(0), model: names.model("m"), band: .realtime,
                        promptTokens: 10, expectedOutputTokens: 10, timeToLive: .seconds(60))))
            #expect(host.inspect { $0.snapshot(at: $1) }.pools[0].realtime.inFlight == 1)
            registry.finish()
            tasks.cancelAll()
        }
        host.stop()
        try await engine.stop()
    }

    @Test(.timeLimit(.minutes(1))) func aStalledEngineDelaysNoOther() async throws {
        let stalled = FakeEngine(["/v1/models": .silence, "/metrics": .silence, "/health": .silence])
        let well = FakeEngine(["/metrics": .status(200, "vllm:num_requests_running 1\n")])
        var pool = PoolDescription(name: "p", allowedPaths: [], models: ["m"])
        pool.endpoints = [
            try specification(try await stalled.start(on: group)), try specification(try await well.start(on: group)),
        ]
        try await watching([pool]) { recorder, _, _, readiness in
            for _ in 0..<5 { await recorder.wait { if case .sampled(EndpointID(1), _) = $0 { true } else { false } } }
            // The stalled one is still within its first time limit (5 s): nothing waited for it.
            #expect(!readiness.report.isFirstRoundTried)
        }
        try await stalled.stop()
        try await well.stop()
    }

    @Test(.timeLimit(.minutes(1))) func aReloadKeepsWhatStaysAndTellsTheRest() async throws {
        let first = FakeEngine(["/metrics": .status(404, "")])
        let second = FakeEngine(["/metrics": .status(404, "")])
        let urls = [
            try specification(try await first.start(on: group)), try specification(try await second.start(on: group)),
        ]
        var pool = PoolDescription(name: "p", allowedPaths: [], models: ["m"])
        pool.endpoints = [urls[0]]
        let before = pool
        pool.endpoints = [urls[1], urls[0]]
        let both = pool
        pool.endpoints = [urls[1]]
        let after = pool
        try await watching([before]) { recorder, registry, directory, _ in
            await recorder.wait { if case .endpointAdded(let new) = $0 { new.id == EndpointID(0) } else { false } }
            registry.apply([both])
            await recorder.wait { if case .endpointAdded(let new) = $0 { new.id == EndpointID(1) } else { false } }
            await recorder.wait { if case .probed(EndpointID(1), true) = $0 { true } else { false } }
            #expect(registry.statuses().map(\.entry.id) == [EndpointID(1), EndpointID(0)])
            registry.apply([after])
            await recorder.wait { if case .endpointRemoved(EndpointID(0)) = $0 { true } else { false } }
            #expect(registry.statuses().map(\.entry.id) == [EndpointID(1)])
            // Running work still finds the entry of the endpoint that left.
            #expect(directory.current.endpoint(EndpointID(0))?.url == urls[0].url)
            #expect(registry.setDraining(EndpointID(0), true) == false)
            #expect(registry.setDraining(EndpointID(1), true))
        }
        try await first.stop()
        try await second.stop()
    }

    /// A watch that gave up would leave the endpoint out of service until a restart.
    @Test(.timeLimit(.minutes(1))) func anAuthorityFileThatComesLateIsTakenAndItsLackIsLoggedOnce() async throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "authority-\(UUID().uuidString).pem").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let engine = FakeEngine([:])
        var pool = PoolDescription(name: "p", allowedPaths: [], models: ["m"])
        pool.endpoints = [try specification(try await engine.start(on: group))]
        pool.endpoints[0].tls = EngineTLS(authorityFile: file)
        let lines = LineCount()
        let logger = Logger(label: "test") { _ in CountingLogHandler(lines: lines) }
        try await watching([pool], logger: logger) { recorder, registry, _, readiness in
            for _ in 0..<3 {
                await recorder.wait { if case .probed(_, let healthy) = $0 { !healthy } else { false } }
            }
            #expect(readiness.report.isFirstRoundTried)
            #expect(registry.statuses()[0].fault?.contains("TLS settings") == true)
            #expect(lines.count(of: "endpoint cannot be watched") == 1)
            try Data(authority.utf8).write(to: URL(filePath: file), options: .atomic)
            // The engine speaks no TLS, so it is asked in vain: but it is asked.
            await recorder.wait { if case .sampleFailed = $0 { true } else { false } }
            #expect(lines.count(of: "endpoint cannot be watched") == 1)
        }
        try await engine.stop()
    }

    /// Else an endpoint shown as in service may get no work for ever.
    @Test func changesAtTheSameTimeReachTheSchedulerInTheirOrder() throws {
        let told = Mutex<Bool?>(nil)
        let host = SchedulerHost(loops: [group.next()]) { event, _, _ in
            if case .endpointDraining(_, let isDraining) = event { told.withLock { $0 = isDraining } }
        }
        let registry = EndpointRegistry(host: host, directory: DirectoryHolder(), names: Names())
        var pool = PoolDescription(name: "p", allowedPaths: [], models: ["m"])
        pool.endpoints = [try specification(1)]
        registry.apply([pool])
        var differences = 0
        for _ in 0..<100_000 {
            DispatchQueue.concurrentPerform(iterations: 2) { _ = registry.setDraining(EndpointID(0), $0 == 0) }
            if told.withLock({ $0 }) != registry.statuses()[0].isDraining { differences += 1 }
        }
        #expect(differences == 0)
        registry.finish()
    }

    @Test(.timeLimit(.minutes(1))) func withoutEndpointsTheFirstRoundIsOver() async throws {
        try await watching([]) { _, _, _, readiness in
            while !readiness.report.isFirstRoundTried, !Task.isCancelled { await Task.yield() }
        }
    }
}
