import DataPlane
import SchedulerRuntime
import Testing

/// The head that an engine gets is the client's, whatever way the request came in.
@Suite(.timeLimit(.minutes(2))) struct EngineHeadTests {
    /// One request with its number in path, query, headers and body.
    private func request(_ number: Int, body: String? = nil, chunked: Bool = false, lines: String = "") -> String {
        let body = body ?? self.body(number)
        let framing =
            chunked
            ? "Transfer-Encoding: chunked\r\n\r\n" + chunk(String(body.prefix(7))) + chunk(String(body.dropFirst(7)))
                + "0\r\nX-Trailer: t\r\n\r\n"
            : "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        return "POST /v1/chat/completions?n=\(number)&b=%20/x HTTP/1.1\r\nHost: g\r\nX-Number: \(number)\r\n\(lines)"
            + "Content-Type: application/json\r\nX-Request-Id: id-\(number)\r\n\(framing)"
    }

    private func body(_ number: Int) -> String { "{\"model\":\"mock\",\"number\":\(number)}" }

    private func check(_ request: TestMessage, _ number: Int, port: Int, length: Int? = nil) {
        #expect(request.firstLine == "POST /v1/chat/completions?n=\(number)&b=%20/x HTTP/1.1")
        let length = length ?? body(number).utf8.count
        #expect(
            request.lines == [
                "Host: 127.0.0.1:\(port)", "X-Number: \(number)", "Content-Type: application/json",
                "x-request-id: id-\(number)", "x-forwarded-for: 127.0.0.1", "Content-Length: \(length)",
            ])
    }

    @Test func howeverItIsCut() async throws {
        let seen = Journal<TestMessage>()
        let engine = FakeEngine.answering { request in
            seen.append(request)
            return jsonAnswer("{}")
        }
        try await withGateway([engine]) { gateway in
            let port = try #require(gateway.enginePorts.first)
            let socket = try await gateway.connect()
            var number = 0
            for isChunked in [false, true] {
                let length = request(0, chunked: isChunked).utf8.count
                for cut in stride(from: 1, to: length, by: 9) {
                    let bytes = Array(request(number, chunked: isChunked).utf8)
                    try await socket.send(Array(bytes[..<min(cut, bytes.count)]))
                    try await socket.send(Array(bytes[min(cut, bytes.count)...]))
                    #expect(await socket.takeMessage()?.status == 200)
                    check(try #require(seen.entries.last), number, port: port)
                    #expect(seen.entries.last?.text == body(number))
                    number += 1
                }
            }
            #expect(seen.entries.count == number)
        }
    }

    @Test func behindOthersAndBehindRefusals() async throws {
        let seen = Journal<TestMessage>()
        let engine = FakeEngine.answering { request in
            seen.append(request)
            return jsonAnswer("{}")
        }
        try await withGateway([engine]) { gateway in
            let port = try #require(gateway.enginePorts.first)
            let socket = try await gateway.connect()
            let bad = request(90, body: "{\"n\":1}", lines: "X-Longer: " + String(repeating: "y", count: 300) + "\r\n")
            let misplaced = "GET /v1/chat/completions?q=1 HTTP/1.1\r\nHost: g\r\nX-Evil: 1\r\n\r\n"
            let all = request(1) + bad + request(2, chunked: true) + misplaced + request(3) + request(4)
            try await socket.send(all)
            for status in [200, 400, 200, 405, 200, 200] { #expect(await socket.takeMessage()?.status == status) }
            #expect(seen.entries.count == 4)
            for (request, number) in zip(seen.entries, 1...) { check(request, number, port: port) }
        }
    }

    @Test func behindAWaitForRoom() async throws {
        var options = FixtureOptions()
        options.settings.bufferBudgetBytes = 1000
        let (seen, release) = (Journal<TestMessage>(), Journal<Int>())
        let engine = FakeEngine { socket in
            while let request = await socket.takeMessage() {
                seen.append(request)
                if request.text.contains("hold") { await release.wait { !$0.isEmpty } }
                try await socket.send(jsonAnswer("{}"))
            }
        }
        try await withGateway([engine], options) { gateway in
            let port = try #require(gateway.enginePorts.first)
            let filler = String(repeating: " ", count: 600)
            let first = try await gateway.connect()
            try await first.send(request(1, body: "{\"model\":\"mock\",\"x\":\"hold\(filler)\"}"))
            await seen.wait { $0.count == 1 }
            let second = try await gateway.connect()
            let waiting = "{\"model\":\"mock\",\"number\":2,\"x\":\"\(filler)\"}"
            try await second.send(request(2, body: waiting) + request(3))
            release.append(1)
            #expect(await first.takeMessage()?.status == 200)
            #expect(await second.takeMessage()?.status == 200)
            #expect(await second.takeMessage()?.status == 200)
            check(seen.entries[1], 2, port: port, length: waiting.utf8.count)
            check(seen.entries[2], 3, port: port)
        }
    }

    /// A retry writes the head again, from the bytes that came first.
    @Test func onASecondAttempt() async throws {
        let seen = Journal<TestMessage>()
        let full = FakeEngine.answering { _ in jsonAnswer("{}", status: "503 Busy") }
        let alive = FakeEngine.answering { request in
            seen.append(request)
            return jsonAnswer("{}")
        }
        try await withGateway([full, alive]) { gateway in
            let socket = try await gateway.connect()
            // The next request is here, unread, while the first goes its two ways.
            try await socket.send(request(1) + request(2, chunked: true))
            for _ in 1...2 { #expect(await socket.takeMessage()?.status == 200) }
            for (request, number) in zip(seen.entries, 1...) { check(request, number, port: gateway.enginePorts[1]) }
            #expect(seen.entries.count == 2)
        }
    }
}
