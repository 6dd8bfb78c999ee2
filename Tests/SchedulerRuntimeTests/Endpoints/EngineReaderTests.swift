import FleetTracking
import NIOCore
import NIOPosix
import SchedulerRuntime
import Testing

@Suite struct EngineReaderTests {
    private static let vllm = """
        # TYPE vllm:num_requests_running gauge
        vllm:num_requests_running{engine="0",model_name="m"} 3
        vllm:num_requests_waiting{engine="0",model_name="m"} 2
        vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25

        """

    private func withEngine(
        _ answers: [String: FakeEngine.Answer], settings: WatchSettings = WatchSettings(),
        _ body: (FakeEngine, EngineReader) async throws -> Void
    ) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        let engine = FakeEngine(answers)
        let port = try await engine.start(on: group)
        let entry = EndpointEntry(
            id: EndpointID(0), pool: PoolID(0), url: "http://127.0.0.1:\(port)", host: "127.0.0.1", port: port)
        let reader = try EngineReader(endpoint: entry, settings: settings, loop: group.next())
        try await body(engine, reader)
        reader.close()
        try await engine.stop()
    }

    @Test func modelsMetricsAndHealthComeOverOneConnection() async throws {
        try await withEngine([
            "/v1/models": .status(200, #"{"data":[{"id":"base"},{"id":"adapter","parent":"base"}]}"#),
            "/metrics": .status(200, Self.vllm), "/health": .status(200, ""),
        ]) { engine, reader in
            guard case .listed(let models) = await reader.models() else {
                Issue.record("no models")
                return
            }
            #expect(models.map(\.name) == ["base", "adapter"])
            #expect(models[1].record == #"{"id":"adapter","parent":"base"}"#)
            let clock = ManualClock(start: Instant(nanoseconds: 7)).clock
            guard case .sampled(let kind, let sample) = await reader.metrics(clock: clock) else {
                Issue.record("no sample")
                return
            }
            #expect(kind == .vllm)
            #expect(sample.running == 3)
            #expect(sample.waiting == 2)
            #expect(sample.kvUse == 0.25)
            #expect(sample.takenAt == Instant(nanoseconds: 7))
            #expect(await reader.health() == .healthy)
            #expect(engine.paths == ["/v1/models", "/metrics", "/health"])
            #expect(engine.connections == 1)
        }
    }

    @Test func engineWithoutMetricsIsNotAFault() async throws {
        try await withEngine(["/metrics": .status(404, "")]) { _, reader in
            #expect(await reader.metrics(clock: .system) == .absent("status 404"))
            #expect(await reader.models() == .absent)
            #expect(await reader.health() == .healthy)
        }
        try await withEngine(["/metrics": .status(200, "go_threads 5\n")]) { _, reader in
            #expect(await reader.metrics(clock: .system) == .absent("no metric of a known engine family"))
        }
    }

    @Test(arguments: [500, 503])
    func loadingOrDeadEngineIsUnhealthy(status: Int) async throws {
        try await withEngine(["/health": .status(status, ""), "/metrics": .status(status, "")]) { _, reader in
            #expect(await reader.health() == .unhealthy("status \(status)"))
            #expect(await reader.metrics(clock: .system) == .failed("status \(status)"))
        }
    }

    @Test func silenceEndsAtTheTimeLimit() async throws {
        var settings = WatchSettings()
        settings.healthTimeout = .milliseconds(50)
        try await withEngine(["/health": .silence], settings: settings) { engine, reader in
            #expect(await reader.health() == .unhealthy("timed out"))
            // The stalled connection is not used again: its late answer would be taken for the next one.
            #expect(await reader.models() == .absent)
        }
    }

    @Test func anAnswerOverTheLimitIsRefused() async throws {
        var settings = WatchSettings()
        settings.metricsLimitBytes = 100
        let page = String(repeating: "# filler\n", count: 20)
        try await withEngine(["/metrics": .status(200, page)], settings: settings) { _, reader in
            #expect(await reader.metrics(clock: .system) == .failed("answer over 100 bytes"))
        }
    }

    @Test func aConnectionClosedByTheEngineIsReplaced() async throws {
        try await withEngine(["/health": .status(200, "")]) { engine, reader in
            #expect(await reader.health() == .healthy)
            engine.set("/health", .hangUp)
            #expect(await reader.health() == .unhealthy("unreachable: connection closed by the engine"))
            engine.set("/health", .status(200, ""))
            #expect(await reader.health() == .healthy)
        }
    }

    /// Each connection ends right behind its answer: the next request meets it open, closing or closed.
    @Test(.timeLimit(.minutes(1))) func aRequestOnAClosingConnectionIsAskedAgainOnAFreshOne() async throws {
        try await withEngine(["/health": .lastWords(200, "")]) { engine, reader in
            for _ in 0..<200 { #expect(await reader.health() == .healthy) }
            #expect(engine.connections == 200)
        }
    }

    @Test func anEngineThatIsNotThereIsUnreachable() async throws {
        let entry = EndpointEntry(
            id: EndpointID(0), pool: PoolID(0), url: "http://127.0.0.1:1", host: "127.0.0.1", port: 1)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let reader = try EngineReader(endpoint: entry, settings: WatchSettings(), loop: loop)
        #expect(await reader.health() == .unhealthy("unreachable: Connection refused"))
    }

    @Test(arguments: ["", "{", "[]", #"{"data":3}"#, "<html>"])
    func textThatIsNoModelListIsAFault(body: String) async throws {
        try await withEngine(["/v1/models": .status(200, body)]) { _, reader in
            guard case .failed = await reader.models() else {
                Issue.record("\(body) was taken for a model list")
                return
            }
        }
    }
}
