import EngineModel
import NIOCore
import Testing

@testable import App

/// Models, metrics, errors, connections.
@Suite(.timeLimit(.minutes(2))) struct EngineSurfaceTests {
    static let chat = EngineChatTests.chat

    @Test func modelsAndAdaptersAreListedAndAnswerDifferently() async throws {
        try await withEngine {
            $0.aliases = ["tide-alias"]
            $0.adapters = ["tide-lora"]
        } _: { port in
            var client = try await EngineClient.connect(port: port)
            let data = try #require(try await client.ask("GET", "/v1/models").json()["data"]?.array)
            #expect(data.compactMap { $0["id"]?.text } == ["tide", "tide-alias", "tide-lora"])
            #expect(data.map { $0["parent"]?.text } == [nil, nil, "tide"])
            #expect(data[0]["max_model_len"]?.integer == 131_072)
            var texts: [String] = []
            for model in ["tide", "tide-alias", "tide-lora"] {
                let answer = try await client.ask(
                    "POST", "/v1/completions",
                    "{\"model\":\"\(model)\",\"prompt\":\"say\",\"max_tokens\":20,\"ignore_eos\":true}"
                ).json()
                texts.append(answer.choiceText ?? "")
            }
            #expect(texts[0] == texts[1] && texts[0] != texts[2])
        }
    }

    struct BadRequest: Sendable {
        var path = EngineSurfaceTests.chat
        var body: String
        var status: Int
        var says: String
    }

    static let badRequests = [
        BadRequest(
            body: "{\"model\":\"ebb\",\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", status: 404,
            says: "`ebb` does not exist"),
        BadRequest(body: "{\"model\":", status: 400, says: "JSON decode error"),
        BadRequest(body: "[]", status: 400, says: "must be a JSON object"),
        BadRequest(body: "{\"model\":\"tide\"}", status: 400, says: "messages"),
        BadRequest(body: EngineChatTests.body("x", ",\"max_tokens\":0"), status: 400, says: "at least 1"),
        BadRequest(
            body: EngineChatTests.body("x", ",\"max_tokens\":200000"), status: 400, says: "maximum context length"),
        BadRequest(
            body: EngineChatTests.body("x", ",\"min_tokens\":5,\"max_tokens\":4"), status: 400, says: "min_tokens"),
        BadRequest(body: EngineChatTests.body("x", ",\"priority\":1"), status: 400, says: "priority"),
        BadRequest(body: EngineChatTests.body("x", ",\"n\":9000000000000000000"), status: 400, says: "limit"),
        BadRequest(body: EngineChatTests.body("x", ",\"stop\":[1]"), status: 400, says: "list of strings"),
        BadRequest(
            path: "/v1/completions", body: "{\"model\":\"tide\",\"prompt\":[1,99999999]}", status: 400,
            says: "vocabulary"),
        BadRequest(path: "/v1/completions", body: "{\"model\":\"tide\",\"prompt\":[]}", status: 400, says: "not empty"),
        BadRequest(path: "/v1/nothing", body: "{}", status: 404, says: "Not Found"),
    ]

    @Test func badRequestsAreRefusedInTheEnginesShape() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            for bad in Self.badRequests {
                let answer = try await client.ask("POST", bad.path, bad.body)
                #expect(answer.status == bad.status, "\(bad.body)")
                let error = try answer.json()["error"]
                #expect(error?["code"]?.integer == bad.status)
                #expect(error?["message"]?.text?.contains(bad.says) == true, "\(answer.text)")
            }
            #expect(try await state(port: port)["active_calls"] == 0)
        }
    }

    @Test func aLongPromptAndALargeBodyAreRefused() async throws {
        try await withEngine {
            $0.engine.maximumModelLength = 64
            $0.limits.bodyBytes = 10_000
        } _: { port in
            var client = try await EngineClient.connect(port: port)
            let long = try await client.ask(
                "POST", Self.chat, EngineChatTests.body(String(repeating: "wave ", count: 100)))
            #expect(long.status == 400)
            let large = try await client.ask(
                "POST", Self.chat, EngineChatTests.body(String(repeating: "wave ", count: 10_000)))
            #expect(large.status == 413)
            #expect(try await client.ask("GET", "/health").status == 200, "the connection goes on")
        }
    }

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            let bodies = (0..<5).map {
                EngineChatTests.body("number \($0)", ",\"max_tokens\":\(5 - $0),\"ignore_eos\":true")
            }
            let texts = bodies.map {
                "POST \(Self.chat) HTTP/1.1\r\nhost: e\r\ncontent-length: \($0.utf8.count)\r\n\r\n\($0)"
            }
            try await client.write(texts.joined() + "GET /version HTTP/1.1\r\nhost: e\r\n\r\n")
            for number in 0..<5 {
                let answer = try await client.answer().json()
                #expect(answer["usage"]?["completion_tokens"]?.integer == 5 - number)
            }
            #expect(try await client.answer().json()["version"] != nil)
        }
    }

    @Test func headersAreKept() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            try await client.send(
                "POST", Self.chat, EngineChatTests.body("x", ",\"max_tokens\":1"),
                headers: "X-Request-Id: abc-1\r\nconnection: close\r\n")
            let answer = try await client.answer()
            #expect(answer.head.headers["x-request-id"] == "abc-1")
            #expect(answer.head.headers["connection"] == "close")
            #expect(try answer.json()["id"]?.text == "chatcmpl-abc-1")
            await #expect(throws: EngineClient.Ended.self) { _ = try await client.head() }
        }
    }

    @Test func brokenHTTPGets400() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            try await client.write("NOT HTTP AT ALL\r\n\r\n")
            #expect(try await client.answer().status == 400)
        }
    }

    @Test(arguments: [true, false]) func aClientThatGoesAwayAbortsItsRequest(streams: Bool) async throws {
        try await withEngine {
            $0.speed = 1
        } _: { port in
            let client = try await EngineClient.connect(port: port)
            try await client.send(
                "POST", Self.chat,
                EngineChatTests.body(
                    "endless", ",\"max_tokens\":100000,\"ignore_eos\":true,\"n\":3,\"stream\":\(streams)"))
            let during = try await state(port: port) { $0["running"] == 3 }
            #expect(during["free_blocks"] != during["blocks"])
            try await client.close()
            let after = try await state(port: port) { $0["running"] == 0 }
            #expect(after["aborted"] == 3)
            #expect(after["aborted_calls"] == 1)
            #expect(after["free_blocks"] == after["blocks"])
        }
    }

    @Test func aClientThatDoesNotReadIsCutOffAtTheLimit() async throws {
        try await withEngine {
            $0.speed = 1e6
            $0.limits.unreadBytes = 64 << 10
        } _: { port in
            let client = try await EngineClient.connect(port: port, reads: false)
            try await client.send(
                "POST", Self.chat,
                EngineChatTests.body("endless", ",\"max_tokens\":100000,\"ignore_eos\":true,\"n\":64,\"stream\":true"))
            let after = try await state(port: port) { $0["aborted_calls"] == 1 }
            #expect(after["running"] == 0 && after["aborted"] == 64)
            try await client.close()
        }
    }

    @Test func aWaitingRequestIsAbortedToo() async throws {
        try await withEngine {
            $0.speed = 1
            $0.engine.maximumSequences = 1
        } _: { port in
            let body = EngineChatTests.body("endless", ",\"max_tokens\":100000,\"ignore_eos\":true")
            let running = try await EngineClient.connect(port: port)
            try await running.send("POST", Self.chat, body)
            _ = try await state(port: port) { $0["running"] == 1 }
            let waiting = try await EngineClient.connect(port: port)
            try await waiting.send("POST", Self.chat, body)
            _ = try await state(port: port) { $0["waiting"] == 1 }
            try await waiting.close()
            let after = try await state(port: port) { $0["waiting"] == 0 }
            #expect(after["running"] == 1)
        }
    }

    @Test func admissionLimitsAnswer503AndAreCounted() async throws {
        try await withEngine {
            $0.speed = 1
            $0.engine.maximumQueuedSequences = 1
        } _: { port in
            let first = try await EngineClient.connect(port: port)
            try await first.send(
                "POST", Self.chat, EngineChatTests.body("x", ",\"max_tokens\":100000,\"ignore_eos\":true"))
            _ = try await state(port: port) { $0["running"] == 1 }
            var second = try await EngineClient.connect(port: port)
            let answer = try await second.ask("POST", Self.chat, EngineChatTests.body("y"))
            #expect(answer.status == 503)
            let metrics = try await second.ask("GET", "/metrics").text
            #expect(
                metrics.contains(
                    "vllm:admission_rejections_total{engine=\"0\",model_name=\"tide\",reason=\"max_num_queued_reqs\"} 1.0"
                ))
        }
    }

    @Test func metricsHaveVLLMsNames() async throws {
        try await withEngine {
            $0.adapters = ["lora-a"]
        } _: { port in
            var client = try await EngineClient.connect(port: port)
            _ = try await client.ask(
                "POST", Self.chat, EngineChatTests.body("x", ",\"max_tokens\":4,\"ignore_eos\":true"))
            let answer = try await client.ask("GET", "/metrics")
            #expect(answer.head.headers["content-type"]?.hasPrefix("text/plain") == true)
            for line in [
                "vllm:num_requests_running{engine=\"0\",model_name=\"tide\"} 0.0",
                "vllm:num_requests_waiting{engine=\"0\",model_name=\"tide\"} 0.0",
                "vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"tide\"} 0.0",
                "vllm:generation_tokens_total{engine=\"0\",model_name=\"tide\"} 4.0",
                "vllm:time_to_first_token_seconds_count{engine=\"0\",model_name=\"tide\"} 1.0",
                "vllm:inter_token_latency_seconds_count{engine=\"0\",model_name=\"tide\"} 3.0",
                "vllm:request_success_total{engine=\"0\",model_name=\"tide\",finished_reason=\"length\"} 1.0",
            ] {
                #expect(answer.text.contains(line + "\n"), "\(line)")
            }
            #expect(answer.text.contains("num_gpu_blocks=\"28125\""))
            #expect(answer.text.contains("vllm:lora_requests_info{max_lora=\"1\""))
        }
    }

    @Test func nothingIsServedBeforeTheStartupDelay() async throws {
        try await withEngine {
            $0.startupDelay = .seconds(3600)
        } _: { port in
            var client = try await EngineClient.connect(port: port)
            #expect(try await client.ask("GET", "/health").status == 503)
            #expect(try await client.ask("POST", Self.chat, EngineChatTests.body("x")).status == 503)
        }
    }

    @Test func aPortInUseIsAClearFailure() async throws {
        try await withEngine { port in
            await #expect {
                try await withEngine {
                    $0.port = port
                } _: { _ in
                }
            } throws: { "\($0)".contains("cannot listen on 127.0.0.1:\(port)") }
        }
    }
}
