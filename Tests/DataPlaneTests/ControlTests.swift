import DataPlane
import FlowControl
import NIOCore
import SchedulerRuntime
import Testing

/// A control plane that tests talk to.
private struct ScriptedSurface: ControlSurface {
    var cancelled = Journal<String>()
    var entered = Journal<String>()

    func respond(to request: ControlRequest, writer: any ControlResponseWriter) async throws {
        entered.append(request.uri)
        switch request.uri {
        case "/echo":
            try await writer.writeHead(
                status: 200, headers: [("x-length", "\(request.contentLength ?? -1)")], contentLength: nil)
            for try await piece in request.body { try await writer.write(piece) }
            try await writer.finish()
        case "/fixed":
            try await writer.writeHead(
                status: 201,
                headers: [("Content-Type", "text/plain"), ("Transfer-Encoding", "gzip"), ("bad\r\nx", "y")],
                contentLength: 5)
            if request.method != "HEAD" { try await writer.write(ByteBuffer(string: "fixed")) }
            try await writer.finish()
        case "/count":
            var bytes = 0
            for try await piece in request.body { bytes += piece.readableBytes }
            let text = "\(bytes)"
            try await writer.writeHead(status: 200, headers: [], contentLength: text.utf8.count)
            try await writer.write(ByteBuffer(string: text))
            try await writer.finish()
        case "/short":
            try await writer.writeHead(status: 200, headers: [], contentLength: 10)
            try await writer.write(ByteBuffer(string: "abc"))
            try await writer.finish()
        case "/broken":
            try await writer.writeHead(status: 200, headers: [], contentLength: nil)
            try await writer.write(ByteBuffer(string: "abc"))
            throw ControlFailure.misuse
        case "/ticks":
            try await writer.writeHead(status: 200, headers: [], contentLength: nil)
            try await writer.write(ByteBuffer(string: "tick"))
            await withTaskCancellationHandler {
                await cancelled.wait { !$0.isEmpty }
            } onCancel: {
                cancelled.append(request.uri)
            }
        case "/who":
            let text =
                request.identity.tenant + "|" + request.requestID + "|"
                + request.headers.map { $0.name }.joined(separator: ",")
            try await writer.writeHead(status: 200, headers: [], contentLength: text.utf8.count)
            try await writer.write(ByteBuffer(string: text))
            try await writer.finish()
        default: throw ControlFailure.misuse
        }
    }
}

@Suite(.timeLimit(.minutes(2))) struct ControlTests {
    private func options(_ surface: ScriptedSurface = ScriptedSurface()) -> FixtureOptions {
        var options = FixtureOptions()
        options.surface = surface
        return options
    }

    private func post(_ path: String, _ body: String) -> String {
        "POST \(path) HTTP/1.1\r\nHost: g\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
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

    @Test func limitsOfControlRequests() async throws {
        let surface = ScriptedSurface()
        var options = options(surface)
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
        }
    }

    @Test func moreControlRequestsThanTheLimitAreRefused() async throws {
        var options = options()
        options.settings.controlRequests = 1
        try await withGateway([], options) { gateway in
            let busy = try await gateway.connect()
            try await busy.send("GET /ticks HTTP/1.1\r\nHost: g\r\n\r\n")
            _ = await busy.take(through: "tick")
            let refused = try await gateway.ask("GET /fixed HTTP/1.1\r\nHost: g\r\n\r\n")
            #expect(refused?.status == 503 && refused?.text.contains("control_busy") == true)
            await busy.close()
        }
    }

    @Test func keysGuardControlPathsButTheOpenOnes() async throws {
        struct OneKey: Identifying {
            func identify(authorization: String?, apiKey: String?) -> Identity? {
                authorization == "Bearer good" ? Identity(tenant: "acme") : nil
            }
        }
        var options = options()
        options.identity = OneKey()
        try await withGateway([], options) { gateway in
            let refused = try await gateway.ask("GET /who HTTP/1.1\r\nHost: g\r\n\r\n")
            #expect(refused?.status == 401)
            let open = try await gateway.ask("GET /livez HTTP/1.1\r\nHost: g\r\n\r\n")
            #expect(open?.status == 500)
            let mine = try await gateway.ask(
                "GET /who HTTP/1.1\r\nHost: g\r\nAuthorization: Bearer good\r\nConnection: X-Hop\r\nX-Hop: 1\r\nx-request-id: a\r\n\r\n"
            )
            #expect(mine?.text == "acme|a|Host,Authorization,x-request-id")
        }
    }
}
