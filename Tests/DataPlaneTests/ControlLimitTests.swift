import DataPlane
import FleetTracking
import FlowControl
import SchedulerRuntime
import Testing

/// What a request on a control path may take: bytes, time, places. And what is told of it.
@Suite(.timeLimit(.minutes(2))) struct ControlLimitTests {
    private func options(_ surface: ScriptedSurface = ScriptedSurface()) -> FixtureOptions {
        var options = FixtureOptions()
        options.surface = surface
        return options
    }

    private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: g\r\n\r\n" }

    @Test func bodiesAreLimitedInBytesFramingAndSilence() async throws {
        var options = options()
        options.settings.controlBodyBytes = 1000
        options.settings.bodySilence = .milliseconds(150)
        try await withGateway([], options) { gateway in
            let announced = try await gateway.ask("POST /count HTTP/1.1\r\nHost: g\r\nContent-Length: 1001\r\n\r\n")
            #expect(announced?.status == 413)
            let chunked = try await gateway.ask(
                "POST /count HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + chunk(String(repeating: "c", count: 1001)))
            #expect(chunked?.status == 413)
            let bad = try await gateway.ask(
                "POST /count HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\nxx\r\n")
            #expect(bad?.status == 400)
            let silent = try await gateway.ask("POST /count HTTP/1.1\r\nHost: g\r\nContent-Length: 9\r\n\r\nabc")
            #expect(silent?.status == 408)
            await gateway.records.wait { $0.count == 4 }
            #expect(
                gateway.records.entries.map(\.refusal) == [
                    "body_too_large", "body_too_large", "bad_chunk", "body_timeout",
                ])
        }
    }

    /// One byte before each limit of silence would hold a place for years.
    @Test func aBodyThatTricklesIsTimedOutAsAWhole() async throws {
        let (surface, clock) = (ScriptedSurface(), ManualClock(start: Instant.zero + .seconds(1000)))
        var options = options(surface)
        options.clock = clock.clock
        options.settings.controlBodyTimeout = .seconds(100)
        try await withGateway([], options) { gateway in
            let socket = try await gateway.connect()
            try await socket.send("POST /count HTTP/1.1\r\nHost: g\r\nContent-Length: 500\r\n\r\na")
            await surface.pieces.wait { $0.count == 1 }
            for count in 2...4 {
                clock.advance(by: .seconds(29))
                try await socket.send("a")
                await surface.pieces.wait { $0.count == count }
            }
            clock.advance(by: .seconds(29))
            #expect(await socket.takeMessage()?.status == 408)
            #expect(await socket.takeAll() == "")
            await gateway.records.wait { $0.count == 1 }
            #expect(gateway.records.entries[0].refusal == "body_timeout" && gateway.records.entries[0].bytesIn == 4)
        }
    }

    @Test func moreRequestsThanThereArePlacesAreRefusedButProbesAreAnswered() async throws {
        let surface = ScriptedSurface()
        var options = options(surface)
        options.settings.controlRequests = 1
        options.settings.controlReserve = 4
        try await withGateway([], options) { gateway in
            let upload = try await gateway.connect()
            try await upload.send("POST /count HTTP/1.1\r\nHost: g\r\nContent-Length: 100\r\n\r\nabc")
            await surface.entered.wait { $0.contains("/count") }
            // Slow readers of the metrics may take the places that are kept for them, and no more.
            var scrapers: [TestSocket] = []
            for _ in 0..<4 {
                let scraper = try await gateway.connect()
                try await scraper.send(get("/metrics?hang"))
                #expect(await scraper.take(through: "tick") != nil)
                scrapers.append(scraper)
            }
            for request in [get("/fixed"), get("/metrics"), post("/livez", "slow")] {
                let refused = try #require(try await gateway.ask(request))
                #expect(refused.status == 503 && refused.text.contains("control_busy"))
                #expect(refused.header("retry-after") == "1")
            }
            let (live, ready) = (try await gateway.ask(get("/livez")), try await gateway.ask(get("/readyz?verbose")))
            #expect(live?.status == 200 && ready?.status == 200)
            await upload.close()
            for scraper in scrapers { await scraper.close() }
        }
    }

    @Test func bytesInAndOutAreTold() async throws {
        let surface = ScriptedSurface()
        try await withGateway([], options(surface)) { gateway in
            let socket = try await gateway.connect()
            try await socket.send(post("/echo", "hello") + get("/fixed") + "HEAD /fixed HTTP/1.1\r\nHost: g\r\n\r\n")
            #expect(await socket.takeMessage()?.text == "hello")
            #expect(await socket.takeMessage()?.text == "fixed")
            #expect(await socket.takeMessage(isHead: true)?.status == 201)
            try await socket.send(
                "POST /count HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
                    + chunk(String(repeating: "c", count: 1500)) + chunk("ccc") + "0\r\n\r\n")
            #expect(await socket.takeMessage()?.text == "1503")
            try await socket.send(get("/nowhere"))
            let failed = try #require(await socket.takeMessage())
            try await socket.send(get("/short"))
            _ = await socket.takeAll()
            let upload = try await gateway.connect()
            try await upload.send("POST /count HTTP/1.1\r\nHost: g\r\nContent-Length: 100\r\n\r\nabc")
            await surface.pieces.wait { $0.last == 3 }
            await upload.close()
            await gateway.records.wait { $0.count == 7 }
            let records = gateway.records.entries
            #expect(records.map(\.bytesIn) == [5, 0, 0, 1503, 0, 0, 3])
            #expect(records.map(\.bytesOut) == [5, 5, 0, 4, failed.body.count, 3, 0])
        }
    }

    @Test(arguments: ["/flood", "/echo"])
    func aClientThatDoesNotReadItsAnswerIsCut(_ path: String) async throws {
        let surface = ScriptedSurface()
        var options = options(surface)
        options.settings.writeStall = .milliseconds(400)
        try await withGateway([], options) { gateway in
            let socket = try await gateway.connect(autoRead: false)
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    // It goes on sending as long as it is read: only its own reading stands still.
                    try await socket.send("POST \(path) HTTP/1.1\r\nHost: g\r\nContent-Length: 200000000\r\n\r\n")
                    let piece = [UInt8](repeating: UInt8(ascii: "e"), count: 65_536)
                    for _ in 0..<2000 { try await socket.send(piece) }
                }
                await gateway.records.wait { $0.count == 1 }
                await socket.close()
                await #expect(throws: (any Error).self) { try await group.waitForAll() }
            }
            // 128 MB were to come; what the kernels' socket buffers hold has passed, no more.
            let record = gateway.records.entries[0]
            #expect(record.outcome == .clientGone && record.bytesOut < 24 << 20)
            #expect(record.bytesIn < 48 << 20)
            #expect(gateway.listener.connections.stalls == 1)
        }
    }
}
