import ControlPlane
import DataPlane
import FleetTracking
import JobLifecycle
import JobStores
import Synchronization
import Testing
import WireFormats

@Suite struct LiveFeedTests {
    /// Connects one viewer and runs `body` once its first event is there; the viewer leaves when `body` returns.
    private func watch(
        _ fixture: Fixture, _ body: @Sendable (AsyncStream<String>.Iterator) async throws -> Void
    ) async throws {
        let (events, continuation) = AsyncStream.makeStream(of: String.self)
        let writer = RecordingWriter { bytes in continuation.yield(String(decoding: bytes, as: UTF8.self)) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await fixture.routes.surface.respond(to: ControlRequest("GET", "/admin/live"), writer: writer)
                continuation.finish()
            }
            try await body(events.makeAsyncIterator())
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func data(_ event: String?) throws -> JSONValue {
        let event = try #require(event)
        #expect(event.hasSuffix("\n\n"))
        let line = try #require(event.split(separator: "\n").first { $0.hasPrefix("data: ") })
        return try JSONValue.parse(Array(line.dropFirst(6).utf8))
    }

    @Test func aViewerIsGreetedWithEverythingThenTold() async throws {
        let fixture = Fixture()
        var pool = FleetFigures.Pool(name: "<main>")
        var endpoint = FleetFigures.Endpoint(id: EndpointID(0), url: "http://a:1", kind: .vllm, state: .healthy)
        endpoint.inFlight = BandCounts(realtime: 3, async: 4)
        endpoint.sample = EngineSample(takenAt: .zero)
        endpoint.sample?.kvUse = 0.25
        pool.endpoints = [endpoint]
        fixture.console.state.withLock { [pool] in $0.figures.pools = [pool] }
        try await watch(fixture) { events in
            var events = events
            let hello = try data(await events.next())
            #expect(hello["version"]?.string == "1.2.3")
            let shown = try #require(hello["pools"]?.array?.first)
            #expect(shown["name"]?.string == "<main>")
            #expect(shown["endpoints"]?.array?.first?["in_flight"]?["async"]?.int == 4)
            #expect(shown["endpoints"]?.array?.first?["kv_use"]?.double == 0.25)
            #expect(fixture.routes.live.viewers == 1)

            fixture.store.state.withLock {
                var batch = Batch(
                    id: BatchID("batch_1"), serial: 1, tenant: "a", endpoint: "/v1/embeddings", inputFile: FileID("f"),
                    completionWindow: "24h",
                    times: BatchTimes(created: Fixture.now, expires: Fixture.now + .seconds(60)))
                batch.state = .inProgress
                batch.counts = BatchCounts(total: 10, completed: 3, failed: 1)
                $0.batches = [batch]
                $0.overview.batches = [.init(batch: batch, pending: 4, delayed: 0, leased: 2)]
            }
            await fixture.routes.live.tick()
            let tick = try data(await events.next())
            let shownBatch = try #require(tick["batches"]?.array?.first)
            #expect(shownBatch["completed"]?.int == 3)
            #expect(shownBatch["running"]?.int == 2)

            // It ends: not among the open ones any more, still shown as it ended.
            fixture.store.state.withLock {
                $0.batches[0].state = .completed
                $0.overview = StoreOverview(batches: [], omitted: 0, ended: $0.batches, bytesOnDisk: 0)
            }
            await fixture.routes.live.tick()
            let last = try data(await events.next())
            #expect(last["batches"]?.array?.first?["status"]?.string == "completed")
        }
        #expect(fixture.routes.live.viewers == 0, "a viewer that leaves frees its place")
    }

    @Test func viewersAreBounded() async throws {
        let fixture = Fixture { $0.viewers = 1 }
        try await watch(fixture) { events in
            var events = events
            _ = await events.next()
            let second = try await fixture.answer(ControlRequest("GET", "/admin/live"))
            #expect(second.status == 429)
        }
    }

    @Test func headTakesNoPlace() async throws {
        let fixture = Fixture()
        #expect(try await fixture.answer(ControlRequest("HEAD", "/admin/live")).status == 200)
        #expect(fixture.routes.live.viewers == 0)
    }
}
