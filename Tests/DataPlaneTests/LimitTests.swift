import DataPlane
import FleetTracking
import FlowControl
import SchedulerRuntime
import Testing

@Suite(.timeLimit(.minutes(2))) struct LimitTests {
    static let json = "Host: g\r\nContent-Type: application/json\r\n"
    static let path = "POST /v1/chat/completions HTTP/1.1\r\n"

    @Test(arguments: [
        (chat("{}"), 400, "missing_model"), (chat("{\"model\":7}"), 400, "invalid_model"),
        (chat("[1]"), 400, "not_an_object"), (chat("{\"model\":\"mock\""), 400, "invalid_json"),
        (chat("{\"model\":\"mock\",\"mod\\u0065l\":\"x\"}"), 400, "duplicate_member"),
        (chat("{\"model\":\"other\"}"), 404, "model_not_found"),
        (
            "POST /v1/embeddings HTTP/1.1\r\n\(json)Content-Length: 16\r\n\r\n{\"model\":\"mock\"}", 404,
            "path_not_served"
        ),
        ("POST /nowhere HTTP/1.1\r\n\(json)Content-Length: 2\r\n\r\n{}", 404, "unknown_path"),
        ("GET /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n", 405, "method_not_allowed"),
        ("DELETE /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n", 405, "method_not_allowed"),
        (path + json + "\r\n", 411, "length_required"),
        (path + json + "Content-Length: 33554433\r\n\r\n", 413, "body_too_large"),
        (path + "Host: g\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415, "unsupported_media_type"),
        (path + json + "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", 415, "unsupported_content_encoding"),
        (path + json + "Expect: a-pony\r\nContent-Length: 2\r\n\r\n{}", 417, "bad_expectation"),
        ("GET /" + String(repeating: "a", count: 9000) + " HTTP/1.1\r\nHost: g\r\n\r\n", 414, "target_too_long"),
        ("GET / HTTP/1.1\r\nHost: g\r\nA: " + String(repeating: "a", count: 20_000), 431, "field_line_too_long"),
        ("GET / HTTP/1.1\r\nHost: g\r\n" + String(repeating: "A: b\r\n", count: 101), 431, "too_many_fields"),
        ("GET / HTTP/1.0\r\nHost: g\r\n\r\n", 505, "bad_version"),
        ("CONNECT g:443 HTTP/1.1\r\nHost: g\r\n\r\n", 501, "connect_method"),
        (path + json + "Transfer-Encoding: gzip\r\n\r\n", 501, "bad_transfer_coding"),
        (path + json + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, "bad_chunk"),
    ])
    func refusesWithItsStatus(_ request: String, _ status: Int, _ code: String) async throws {
        let engine = FakeEngine.answering { _ in jsonAnswer("{}") }
        try await withGateway([engine]) { gateway in
            let answer = try #require(try await gateway.ask(request))
            #expect(answer.status == status)
            #expect(answer.text.hasPrefix("{\"error\":{\"message\":\""))
            #expect(answer.text.contains("\"code\":\"\(code)\""))
            #expect(
                (answer.header("x-request-id") == nil)
                    == (status == 505 || code.hasPrefix("bad_") && code != "bad_chunk"
                        || [414, 431, 501].contains(status)))
            await gateway.records.wait { $0.count == 1 }
            #expect(gateway.records.entries[0].status == status)
            #expect(gateway.engines[0].connections == 0)
            #expect(gateway.listener.budget.usedBytes == 0)
        }
    }

    @Test func aMissingModelListsTheKnownOnesAndMessagesSpeakAnthropic() async throws {
        try await withGateway([FakeEngine.answering { _ in "" }]) { gateway in
            let answer = try #require(try await gateway.ask(chat("{\"model\":\"nope\"}")))
            #expect(answer.text.contains("`nope`") && answer.text.contains("Known models: mock."))
            let body = "{\"model\":\"nope\"}"
            let message = try #require(
                try await gateway.ask(
                    "POST /v1/messages HTTP/1.1\r\n\(Self.json)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"))
            #expect(message.status == 404)
            #expect(message.text.hasPrefix("{\"type\":\"error\",\"error\":{\"type\":\"not_found_error\""))
        }
    }

    @Test func aConnectionOutlivesARefusalWhoseBodyIsKnown() async throws {
        try await withGateway([FakeEngine.answering { _ in jsonAnswer("{}") }]) { gateway in
            let socket = try await gateway.connect()
            try await socket.send("GET /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n" + chat("{}") + chat())
            #expect(await socket.takeMessage()?.status == 405)
            #expect(await socket.takeMessage()?.status == 400)
            #expect(await socket.takeMessage()?.status == 200)
            try await socket.send("OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n")
            let options = try #require(await socket.takeMessage())
            #expect(options.status == 204 && options.header("allow") == "POST, OPTIONS")
            try await socket.send("HEAD /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n" + chat())
            #expect(await socket.takeMessage(isHead: true)?.status == 405)
            #expect(await socket.takeMessage()?.status == 200)
        }
    }

    @Test func aBodyOverTheLimitIsAnsweredAndTheConnectionEnds() async throws {
        var options = FixtureOptions()
        options.settings.bodyBytes = 100
        try await withGateway([], options) { gateway in
            let socket = try await gateway.connect()
            try await socket.send(
                Self.path + Self.json + "Transfer-Encoding: chunked\r\n\r\n40\r\n" + String(repeating: "a", count: 64))
            try await socket.send("\r\n40\r\n")
            let answer = try #require(await socket.takeMessage())
            #expect(answer.status == 413 && answer.header("connection") == "close")
            #expect(await socket.takeAll() == "")
        }
    }

    @Test func slowHeadsAndBodiesAreTimedOut() async throws {
        var options = FixtureOptions()
        options.settings.headTimeout = .milliseconds(150)
        options.settings.bodySilence = .milliseconds(150)
        try await withGateway([], options) { gateway in
            let head = try await gateway.connect()
            try await head.send("POST /v1/chat")
            #expect(await head.takeMessage()?.status == 408)
            #expect(await head.takeAll() == "")
            let body = try await gateway.connect()
            try await body.send(Self.path + Self.json + "Content-Length: 50\r\n\r\n{\"model\"")
            #expect(await body.takeMessage()?.status == 408)
            #expect(await body.takeAll() == "")
        }
    }

    @Test func anIdleConnectionIsClosed() async throws {
        var options = FixtureOptions()
        options.settings.keepAliveIdle = .milliseconds(150)
        try await withGateway([FakeEngine.answering { _ in jsonAnswer("{}") }], options) { gateway in
            let socket = try await gateway.connect()
            try await socket.send(chat())
            #expect(await socket.takeMessage()?.status == 200)
            #expect(await socket.takeAll() == "")
        }
    }

    @Test func withoutRoomForBodiesRequestsWaitAndThenAreRefused() async throws {
        var options = FixtureOptions()
        options.settings.bufferBudgetBytes = 1000
        options.settings.bufferWait = .milliseconds(200)
        let release = Journal<Int>()
        let engine = FakeEngine { socket in
            while await socket.takeMessage() != nil {
                await release.wait { !$0.isEmpty }
                try await socket.send(jsonAnswer("{}"))
            }
        }
        try await withGateway([engine], options) { gateway in
            let big = chat("{\"model\":\"mock\",\"x\":\"" + String(repeating: "a", count: 900) + "\"}")
            let first = try await gateway.connect()
            try await first.send(big)
            await gateway.events.wait { !$0.isEmpty }
            let refused = try #require(try await gateway.ask(big))
            #expect(refused.status == 503 && refused.header("retry-after") == "1")
            #expect(refused.text.contains("buffer_budget"))
            // One that comes later gets the room of the one that is answered meanwhile.
            let second = try await gateway.connect()
            try await second.send(big)
            release.append(1)
            #expect(await first.takeMessage()?.status == 200)
            #expect(await second.takeMessage()?.status == 200)
            #expect(gateway.listener.budget.usedBytes == 0)
        }
    }

    @Test func connectionsOverTheLimitAreClosedAtOnce() async throws {
        var options = FixtureOptions()
        options.settings.connections = 1
        options.settings.connectionsReserve = 0
        try await withGateway([FakeEngine.answering { _ in jsonAnswer("{}") }], options) { gateway in
            let first = try await gateway.connect()
            try await first.send(chat())
            #expect(await first.takeMessage()?.status == 200)
            let second = try await gateway.connect()
            #expect(await second.takeAll() == "")
            try await first.send(chat())
            #expect(await first.takeMessage()?.status == 200)
            #expect(gateway.listener.connections.refusals == 1)
        }
    }

    @Test func beyondTheLimitHealthIsToldAndNothingElse() async throws {
        var options = FixtureOptions()
        options.settings.connections = 1
        options.settings.connectionsReserve = 1
        options.surface = ScriptedSurface()
        try await withGateway([FakeEngine.answering { _ in jsonAnswer("{}") }], options) { gateway in
            let first = try await gateway.connect()
            try await first.send(chat())
            #expect(await first.takeMessage()?.status == 200)
            for path in ["/livez", "/readyz?verbose", "/metrics"] {
                let probe = try await gateway.connect()
                try await probe.send("GET \(path) HTTP/1.1\r\nHost: g\r\n\r\n")
                #expect(await probe.takeMessage()?.status == 200)
                // Its place is for the next one.
                #expect(await probe.takeAll() == "")
                await probe.close()
                await gateway.connections(are: 1)
            }
            #expect(gateway.listener.connections.refusals == 0)
            let second = try await gateway.connect()
            try await second.send(chat())
            let refused = try #require(await second.takeMessage())
            #expect(refused.status == 503 && refused.text.contains("connections_in_use"))
            #expect(refused.header("retry-after") == "1")
            #expect(await second.takeAll() == "")
            #expect(gateway.listener.connections.refusals == 1)
            try await first.send(chat())
            #expect(await first.takeMessage()?.status == 200)
        }
    }

    @Test func prioritiesArePassedRefusedOrOverwritten() async throws {
        let body = "{\"model\":\"mock\",\"priority\": 7,\"n\":1}"
        for (setting, expected) in [
            (ClientPriority.pass, body), (.refuse, ""),
            (.overwrite(-3), "{\"model\":\"mock\",\"priority\": -3,\"n\":1}"),
        ] {
            var options = FixtureOptions()
            options.pool.clientPriority = setting
            try await withGateway([FakeEngine.answering { jsonAnswer($0.text) }], options) { gateway in
                let answer = try #require(try await gateway.ask(chat(body)))
                #expect(setting == .refuse ? answer.status == 400 : answer.text == expected)
            }
        }
    }

    @Test func withKeysCredentialsAreConsumed() async throws {
        struct OneKey: Identifying {
            func identify(authorization: String?, apiKey: String?) -> Identity? {
                authorization == "Bearer good" || apiKey == "good" ? Identity(tenant: "acme") : nil
            }
        }
        var options = FixtureOptions()
        options.identity = OneKey()
        options.authorization = "Bearer engine"
        let seen = Journal<TestMessage>()
        let engine = FakeEngine.answering { request in
            seen.append(request)
            return jsonAnswer("{}")
        }
        try await withGateway([engine], options) { gateway in
            let refused = try #require(try await gateway.ask(chat(headers: "Authorization: Bearer bad\r\n")))
            #expect(refused.status == 401 && refused.header("www-authenticate") == "Bearer")
            let reply1 = try await gateway.ask(chat(headers: "Authorization: Bearer good\r\n"))
            #expect(reply1?.status == 200)
            let reply2 = try await gateway.ask(chat(headers: "x-api-key: good\r\n"))
            #expect(reply2?.status == 200)
            for request in seen.entries {
                #expect(request.header("authorization") == "Bearer engine" && request.count("authorization") == 1)
                #expect(request.header("x-api-key") == nil)
            }
            await gateway.records.wait { $0.count == 3 }
            #expect(gateway.records.entries.filter { $0.tenant == "acme" }.count == 2)
        }
    }
}
