import DataPlane
import FleetTracking
import FlowControl
import SchedulerRuntime
import Scheduling
import Testing

@Suite(.timeLimit(.minutes(1))) struct RelayTests {
    @Test func relaysBodyAndHeadersUntouched() async throws {
        let seen = Journal<TestMessage>()
        let engine = FakeEngine.answering { request in
            seen.append(request)
            return jsonAnswer("{\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}", extra: "x-worker: echo\r\n")
        }
        try await withGateway([engine]) { gateway in
            let body =
                "{ \"model\" :\"mock\",\"n\":1,\"big\":123456789012345678901234567890,\"kv_transfer_params\":{\"x\":1},"
                + "\"priority\":3,\"x_unknown\":\"\\u00e9 \u{e9}\",\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}] }"
            let socket = try await gateway.connect()
            try await socket.send(
                chat(
                    body,
                    headers:
                        "Authorization: Bearer abc\r\nX-Request-Id: r1\r\nX-Custom: c1\r\ntraceparent: 00-1-2-01\r\n"
                        + "Connection: keep-alive, X-Hop\r\nX-Hop: gone\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\n"
                        + "x-forwarded-for: 10.0.0.1\r\nAccept: */*\r\n"))
            let answer = try #require(await socket.takeMessage())
            #expect(answer.status == 200)
            #expect(answer.header("x-request-id") == "r1")
            #expect(answer.header("x-worker") == "echo")
            #expect(answer.text == "{\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":4}}")
            let request = try #require(seen.entries.first)
            #expect(request.firstLine == "POST /v1/chat/completions HTTP/1.1")
            #expect(request.text == body)
            #expect(request.header("Authorization") == "Bearer abc")
            #expect(request.header("X-Custom") == "c1")
            #expect(request.header("traceparent") == "00-1-2-01")
            #expect(request.header("x-request-id") == "r1")
            #expect(request.header("x-forwarded-for") == "10.0.0.1, 127.0.0.1")
            #expect(request.header("accept") == "*/*")
            #expect(request.count("host") == 1 && request.header("host")?.hasPrefix("127.0.0.1:") == true)
            for name in ["x-hop", "connection", "keep-alive", "te", "upgrade"] { #expect(request.header(name) == nil) }
            await gateway.records.wait { $0.count == 1 }
            let record = try #require(gateway.records.entries.first)
            #expect(record.outcome == .completed && record.status == 200 && record.endpoint == EndpointID(0))
            #expect(record.promptTokens == 9 && record.outputTokens == 4 && record.model == "mock")
            #expect(record.bytesIn == body.utf8.count)
            #expect(await gateway.everyWorkEndsOnce())
            #expect(await gateway.listener.runningWorks() == 0)
        }
    }

    @Test func passesAStreamThroughChunkByChunk() async throws {
        let engine = FakeEngine { socket in
            while await socket.takeMessage() != nil {
                try await socket.send(streamHead)
                for word in ["one", "two", "three"] { try await socket.send(chunk(event(word))) }
                try await socket.send(chunk("data: [DONE]\n\n") + "0\r\n\r\n")
            }
        }
        try await withGateway([engine]) { gateway in
            let socket = try await gateway.connect()
            for _ in 0..<3 {
                try await socket.send(chat("{\"model\":\"mock\",\"stream\":true,\"messages\":[]}"))
                let answer = try #require(await socket.takeMessage())
                #expect(answer.chunks.count == 4)
                #expect(answer.text == event("one") + event("two") + event("three") + "data: [DONE]\n\n")
                #expect(answer.header("content-type") == "text/event-stream; charset=utf-8")
            }
            await gateway.records.wait { $0.count == 3 }
            #expect(gateway.records.entries.allSatisfy { $0.outputTokens == 3 && $0.streamed })
            #expect(gateway.engines[0].connections == 1)
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    @Test func takesChunkedBodiesAndExpectContinue() async throws {
        let seen = Journal<TestMessage>()
        let engine = FakeEngine.answering { request in
            seen.append(request)
            return jsonAnswer("{}")
        }
        try await withGateway([engine]) { gateway in
            let socket = try await gateway.connect()
            let head =
                "POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Type: application/json; charset=utf-8\r\n"
            try await socket.send(head + "Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
            #expect(await socket.take(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
            try await socket.send("10\r\n{\"model\":\"mock\",\r\n2;x=y\r\n\"a\r\n")
            try await socket.send("4\r\n\":1}\r\n0\r\nX-T: 1\r\n\r\n" + chat())
            #expect(await socket.takeMessage()?.status == 200)
            #expect(await socket.takeMessage()?.status == 200)
            #expect(
                seen.entries.map(\.text) == ["{\"model\":\"mock\",\"a\":1}", "{\"model\":\"mock\",\"messages\":[]}"])
            #expect(seen.entries[0].header("content-length") == "22")
            #expect(seen.entries[0].header("expect") == nil && seen.entries[0].header("transfer-encoding") == nil)
        }
    }

    @Test func answersPipelinedRequestsInOrder() async throws {
        let engine = FakeEngine.answering { request in jsonAnswer(request.text) }
        try await withGateway([engine]) { gateway in
            let socket = try await gateway.connect()
            let bodies = (0..<20).map { "{\"model\":\"mock\",\"i\":\($0)}" }
            try await socket.send(bodies.map { chat($0) }.joined())
            for body in bodies { #expect(await socket.takeMessage()?.text == body) }
            // A refusal in between is answered in its turn too.
            try await socket.send(chat(bodies[0]) + chat("nonsense") + chat(bodies[1]))
            #expect(await socket.takeMessage()?.text == bodies[0])
            #expect(await socket.takeMessage()?.status == 400)
            #expect(await socket.takeMessage()?.text == bodies[1])
        }
    }

    @Test func readsAnswersOfEveryFraming() async throws {
        let engine = FakeEngine { socket in
            var turn = 0
            while await socket.takeMessage() != nil {
                turn += 1
                switch turn {
                case 1: try await socket.send("HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
                case 2: try await socket.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                default:
                    try await socket.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\":")
                    try await socket.send("1}")
                    return
                }
            }
        }
        try await withGateway([engine]) { gateway in
            let socket = try await gateway.connect()
            try await socket.send(chat() + chat() + chat())
            #expect(await socket.takeMessage()?.status == 204)
            let empty = try #require(await socket.takeMessage())
            #expect(empty.status == 400 && empty.body.isEmpty)
            let last = try #require(await socket.takeMessage())
            #expect(last.status == 200 && last.text == "{\"a\":1}" && last.header("transfer-encoding") == "chunked")
        }
    }

    @Test func bodiesOfManySizesArriveExact() async throws {
        let engine = FakeEngine.answering { request in jsonAnswer(request.text) }
        try await withGateway([engine]) { gateway in
            let socket = try await gateway.connect()
            for size in [1, 4_000, 8_200, 70_000, 300_000, 3_000_000] {
                let body = "{\"model\":\"mock\",\"messages\":\"" + String(repeating: "x", count: size) + "\"}"
                try await socket.send(chat(body))
                #expect(await socket.takeMessage()?.text == body)
            }
            #expect(gateway.listener.budget.usedBytes == 0)
        }
    }
}
