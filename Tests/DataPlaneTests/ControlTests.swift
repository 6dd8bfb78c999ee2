import DataPlane
import FlowControl
import SchedulerRuntime
import Testing

@Suite(.timeLimit(.minutes(2))) struct ControlTests {
    private func options(_ surface: ScriptedSurface = ScriptedSurface()) -> FixtureOptions {
        var options = FixtureOptions()
        options.surface = surface
        return options
    }

    @Test func oneConnectionAlternatesChatAndControl() async throws {
        try await withGateway([FakeEngine.answering { _ in jsonAnswer("{\"ok\":1}") }], options()) { gateway in
            let socket = try await gateway.connect()
            for _ in 0..<3 {
                try await socket.send(chat())
                #expect(await socket.takeMessage()?.text == "{\"ok\":1}")
                try await socket.send(post("/echo", "hello"))
                let echo = try #require(await socket.takeMessage())
                #expect(echo.text == "hello" && echo.header("x-length") == "5")
                try await socket.send("GET /fixed HTTP/1.1\r\nHost: g\r\n\r\n")
                let fixed = try #require(await socket.takeMessage())
                #expect(fixed.status == 201 && fixed.text == "fixed" && fixed.header("content-type") == "text/plain")
                #expect(fixed.header("transfer-encoding") == nil && fixed.header("bad") == nil)
            }
            // All at once, pipelined.
            try await socket.send(post("/echo", "a") + chat() + post("/echo", "b"))
            #expect(await socket.takeMessage()?.text == "a")
            #expect(await socket.takeMessage()?.text == "{\"ok\":1}")
            #expect(await socket.takeMessage()?.text == "b")
            await gateway.records.wait { $0.count == 12 }
            #expect(gateway.records.entries.allSatisfy { $0.outcome == .completed })
        }
    }

    @Test func uploadsStreamInAnyFraming() async throws {
        try await withGateway([], options()) { gateway in
            let socket = try await gateway.connect()
            let body = String(repeating: "u", count: 5_000_000)
            try await socket.send(post("/count", body))
            #expect(await socket.takeMessage()?.text == "5000000")
            try await socket.send(
                "POST /count HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
            #expect(await socket.take(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            for _ in 0..<40 { try await socket.send(chunk(String(repeating: "c", count: 50_000))) }
            try await socket.send("0\r\n\r\n")
            #expect(await socket.takeMessage()?.text == "2000000")
            try await socket.send(post("/count", ""))
            #expect(await socket.takeMessage()?.text == "0")
        }
    }

    @Test func headHasNoBodyAndFailuresHaveTheirShape() async throws {
        try await withGateway([], options()) { gateway in
            let socket = try await gateway.connect()
            try await socket.send("HEAD /fixed HTTP/1.1\r\nHost: g\r\n\r\nGET /nowhere HTTP/1.1\r\nHost: g\r\n\r\n")
            let head = try #require(await socket.takeMessage(isHead: true))
            #expect(head.status == 201 && head.header("content-length") == "5")
            let failed = try #require(await socket.takeMessage())
            #expect(failed.status == 500 && failed.text.contains("internal_error"))
            for path in ["/short", "/broken"] {
                let broken = try await gateway.connect()
                try await broken.send("GET \(path) HTTP/1.1\r\nHost: g\r\n\r\n")
                let all = await broken.takeAll()
                #expect(all.hasSuffix("abc") || all.hasSuffix("3\r\nabc\r\n"), "\(path): \(all)")
            }
        }
    }

    @Test func aClientThatGoesAwayCancelsItsAnswer() async throws {
        let surface = ScriptedSurface()
        try await withGateway([], options(surface)) { gateway in
            let socket = try await gateway.connect()
            try await socket.send("GET /ticks HTTP/1.1\r\nHost: g\r\n\r\n")
            _ = await socket.take(through: "tick")
            await socket.close()
            await surface.cancelled.wait { !$0.isEmpty }
            await gateway.records.wait { $0.count == 1 }
            #expect(gateway.records.entries[0].outcome == .clientGone)
            // In the middle of an upload too.
            let upload = try await gateway.connect()
            try await upload.send("POST /count HTTP/1.1\r\nHost: g\r\nContent-Length: 100\r\n\r\nabc")
            await surface.entered.wait { $0.contains("/count") }
            await upload.close()
            await gateway.records.wait { $0.count == 2 }
        }
    }

    private struct OneKey: Identifying {
        func identify(authorization: String?, apiKey: String?) -> Identity? {
            authorization == "Bearer good" ? Identity(tenant: "acme") : nil
        }
    }

    @Test func theMetricsCanBeGuardedToo() async throws {
        var options = options()
        options.identity = OneKey()
        options.settings.metricsNeedKey = true
        try await withGateway([], options) { gateway in
            for path in ["/livez", "/readyz", "/metrics"] {
                let stranger = try await gateway.ask("GET \(path) HTTP/1.1\r\nHost: g\r\n\r\n")
                #expect(stranger?.status == (path == "/metrics" ? 401 : 200))
                let holder = try await gateway.ask(
                    "GET \(path) HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer good\r\n\r\n")
                #expect(holder?.status == 200)
            }
        }
    }

    @Test func keysGuardControlPathsButTheOpenOnes() async throws {
        var options = options()
        options.identity = OneKey()
        try await withGateway([], options) { gateway in
            let refused = try await gateway.ask("GET /who HTTP/1.1\r\nHost: g\r\n\r\n")
            #expect(refused?.status == 401)
            for path in ["/livez", "/readyz", "/metrics"] {
                let open = try await gateway.ask("GET \(path) HTTP/1.1\r\nHost: g\r\n\r\n")
                #expect(open?.status == 200)
            }
            let mine = try await gateway.ask(
                "GET /who HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer good\r\nConnection: X-Hop\r\nX-Hop: 1\r\nx-request-id: a\r\n\r\n"
            )
            #expect(mine?.text == "acme|a|Host,Authorization,x-request-id")
        }
    }
}
