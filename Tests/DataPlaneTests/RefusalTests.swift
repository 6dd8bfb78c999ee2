import DataPlane
import FlowControl
import Foundation
import NIOCore
import SchedulerRuntime
import Scheduling
import Testing

/// Every answer that the gateway gives itself: its status, its shape on each kind of path, what becomes of the
/// connection, and what is told of it.
@Suite struct RefusalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        /// What comes behind `POST /v1/…`.
        var rest: String
        var status: Int
        var code: String
        var closes: Bool
        /// The byte that the message names.
        var byte: Int?
        var wait: Duration?
        var testDescription: String { code }

        init(
            _ rest: String, _ status: Int, _ code: String, closes: Bool = false, byte: Int? = nil, wait: Duration? = nil
        ) {
            self.rest = rest
            self.status = status
            self.code = code
            self.closes = closes
            self.byte = byte
            self.wait = wait
        }

        /// A request with this body.
        static func body(
            _ body: String, _ status: Int, _ code: String, byte: Int? = nil, lines: String = "", closes: Bool = false
        ) -> Case {
            Case(
                " HTTP/1.1\r\n\(head)\(lines)Content-Length: \(body.utf8.count)\r\n\r\n\(body)", status, code,
                closes: closes, byte: byte)
        }

        /// A chunked request with these bytes behind its head.
        static func chunks(_ bytes: String, _ status: Int, _ code: String) -> Case {
            Case(" HTTP/1.1\r\n\(head)Transfer-Encoding: chunked\r\n\r\n\(bytes)", status, code, closes: true)
        }
    }

    static let head = "Host: g\r\nContent-Type: application/json\r\n"

    static let meanings: [Case] = [
        .body("", 400, "not_an_object", byte: 0), .body("{\"a\":1,}", 400, "invalid_json", byte: 7),
        .body("{\"model\":\"mock\"} x", 400, "trailing_bytes", byte: 17), .body("[1]", 400, "not_an_object", byte: 0),
        .body("{\"a\":{\"model\":\"mock\"}}", 400, "missing_model", byte: 22),
        .body("{\"model\":7}", 400, "invalid_model", byte: 9), .body("{\"model\":null}", 400, "invalid_model", byte: 9),
        .body("{\"model\":\"mock\",\"model\":\"mock\"}", 400, "duplicate_member", byte: 16),
        .body("{\"model\":\"mock\",\"\\u006dod\\u0065l\":\"x\"}", 400, "duplicate_member", byte: 16),
        .body("{\"stream\":true,\"model\":\"mock\",\"stream\":true}", 400, "duplicate_member", byte: 30),
        .body("{\"stream\":true,\"model\":\"mock\",\"\\u0073tream\":false}", 400, "duplicate_member", byte: 30),
        .body("{\"model\":\"mock\",\"stream\":1}", 400, "invalid_stream", byte: 25),
        .body("{\"model\":\"mock\",\"x\":\"\u{0}\"}", 400, "nul_byte", byte: 21),
        .body("\u{feff}{\"model\":\"mock\"}", 400, "byte_order_mark", byte: 0),
        .body("{\"model\":\"nowhere\"}", 404, "model_not_found"),
    ]

    static let framings: [Case] = [
        Case(" HTTP/1.1\r\n\(head)\r\n", 411, "length_required"),
        Case(" HTTP/1.1\r\n\(head)Content-Length: 1001\r\n\r\n{", 413, "body_too_large", closes: true),
        .chunks("3e9\r\n{", 413, "body_too_large"),
        .chunks("2\r\n{ \r\n3e7\r\n" + String(repeating: " ", count: 999), 413, "body_too_large"),
        .body("{}", 415, "unsupported_content_encoding", lines: "Content-Encoding: gzip\r\n", closes: true),
        .body("{}", 415, "unsupported_content_encoding", lines: "Content-Encoding: identity, br\r\n", closes: true),
        Case(
            " HTTP/1.1\r\nHost: g\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415,
            "unsupported_media_type", closes: true),
        .chunks("2;\(String(repeating: "x", count: 257))\r\n", 400, "bad_chunk"), .chunks("2\n{}", 400, "bad_chunk"),
        .chunks("0\r\nT: \(String(repeating: "x", count: 4200))", 431, "trailers_too_large"),
        .chunks("0\r\n folded\r\n\r\n", 400, "obsolete_folding"), .chunks("0\r\nA: b\n\r\n", 400, "bare_line_feed"),
        Case(" HTTP/1.1\r\n\(head)Content-Length: 20\r\n\r\n{", 408, "body_timeout", closes: true, wait: .seconds(31)),
    ]

    /// Found before there is a request: no id is told.
    static let heads: [Case] = [
        Case(" HTTP/1.1\r\n\(head)A: \(String(repeating: "a", count: 16_400))", 431, "field_line_too_long"),
        Case(" HTTP/1.1\r\n\(head)" + String(repeating: "A: b\r\n", count: 99), 431, "too_many_fields"),
        Case(
            " HTTP/1.1\r\n\(head)" + String(repeating: "A: \(String(repeating: "a", count: 8000))\r\n", count: 5), 431,
            "head_too_large"),
        Case(
            " HTTP/1.1\r\n\(head)Connection: " + String(repeating: "x, ", count: 17) + "\r\n", 431,
            "too_many_connection_options"),
        Case(" HTTP/1.1\r\n\(head)Content-Length: 2\r\nContent-Length: 2\r\n", 400, "duplicate_content_length"),
        Case(" HTTP/1.1\r\n\(head)Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", 400, "conflicting_lengths"),
        Case(" HTTP/1.1\r\n\(head)Content-Length: 2x\r\n", 400, "bad_content_length"),
        Case(" HTTP/1.1\r\n\(head)Transfer-Encoding: gzip\r\n", 501, "bad_transfer_coding"),
        Case(" HTTP/1.1\r\n\(head)Host: g\r\n\r\n", 400, "duplicate_host"),
        Case(" HTTP/1.1\r\nA: b\r\n\r\n", 400, "missing_host"), Case(" HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "bad_host"),
        Case(" HTTP/1.1\r\n\(head)A: b\n", 400, "bare_line_feed"),
        Case(" HTTP/1.1\r\n\(head)A: b\rc\r\n", 400, "bad_field_value"),
        Case(" HTTP/1.1\r\n\(head)A: b\r\n c\r\n", 400, "obsolete_folding"),
        Case(" HTTP/1.1\r\n\(head)A : b\r\n", 400, "bad_field_name"),
        Case(" HTTP/1.1\r\n\(head)Expect: a-pony\r\n\r\n", 417, "bad_expectation"),
        Case(" HTTP/1.1\r\n\(head)", 408, "header_timeout", wait: .seconds(16)),
    ]

    /// Found before there is a path.
    static let lines: [Case] = [
        Case(String(repeating: "a", count: 9000), 414, "target_too_long"), Case(" HTTP/1.0\r\n", 505, "bad_version"),
        Case(" HTTP/1.1\n", 400, "bare_line_feed"), Case("#x HTTP/1.1\r\n", 400, "bad_target"),
        Case(" HTTP/1.1 x\r\n", 400, "bad_request_line"),
    ]

    private func gateway() throws -> EmbeddedGateway {
        var settings = RelaySettings()
        settings.bodyBytes = 1000
        return try EmbeddedGateway(settings: settings, script: { _, _, _ in })
    }

    /// Sends it, checks what comes, and that the connection goes on or ends as it should.
    private func check(_ test: Case, path: String, speaksAnthropic: Bool, closes: Bool) throws {
        let gateway = try gateway()
        #expect(gateway.deliver("POST \(path)\(test.rest)"))
        if let wait = test.wait { gateway.advance(by: wait) }
        let answer = try #require(try gateway.answers().first, "\(test.rest.prefix(200))")
        #expect(answer.status == test.status)
        try checkBody(answer, test.code, speaksAnthropic: speaksAnthropic)
        if let byte = test.byte { #expect(answer.text.contains("(byte \(byte))"), "\(answer.text)") }
        #expect((answer.header("connection") == "close") == closes)
        #expect(gateway.socket.isOutputEnding == closes)
        gateway.deliver("OPTIONS \(path) HTTP/1.1\r\nHost: g\r\n\r\n")
        #expect(try gateway.answers().count == (closes ? 1 : 2))
        let record = try #require(gateway.finish().first)
        #expect(record.status == test.status && record.refusal == test.code)
        #expect(record.bytesOut == answer.body.count)
        #expect(gateway.arrivals == 0)
    }

    /// OpenAI's error object, or Anthropic's.
    private func checkBody(_ answer: TestMessage, _ code: String, speaksAnthropic: Bool) throws {
        #expect(answer.header("content-type") == "application/json")
        let json = try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any]
        let error = try #require(json?["error"] as? [String: Any])
        #expect((error["message"] as? String)?.isEmpty == false && (error["type"] as? String)?.isEmpty == false)
        #expect((json?["type"] as? String) == (speaksAnthropic ? "error" : nil))
        #expect((error["code"] as? String) == (speaksAnthropic ? nil : code))
        #expect(error.keys.contains("param") == !speaksAnthropic)
    }

    @Test(arguments: meanings + framings)
    func whatCannotBeTakenIsRefusedInTheClientsWords(_ test: Case) throws {
        try check(test, path: "/v1/chat/completions", speaksAnthropic: false, closes: test.closes)
        try check(test, path: "/v1/messages", speaksAnthropic: true, closes: test.closes)
    }

    @Test(arguments: heads)
    func badHeadsEndTheConnection(_ test: Case) throws {
        try check(test, path: "/v1/chat/completions", speaksAnthropic: false, closes: true)
        try check(test, path: "/v1/messages", speaksAnthropic: true, closes: true)
    }

    @Test(arguments: lines)
    func badRequestLinesEndTheConnection(_ test: Case) throws {
        try check(test, path: "/v1/messages", speaksAnthropic: false, closes: true)
    }

    private static let outcomes: [(Outcome, Int, String?)] = [
        (.queueFull, 429, "7"), (.queueTimeout, 429, "7"), (.enginesFull, 429, "7"), (.noEndpoint, 503, "7"),
        (.modelNotFound, 404, nil), (.connectFailed, 502, nil), (.engineReset, 502, nil), (.engineTruncated, 502, nil),
        (.engineProtocol, 502, nil), (.firstByteTimeout, 504, nil), (.idleTimeout, 504, nil),
        (.shuttingDown, 503, "7"), (.bufferBudget, 503, "7"), (.withdrawn, 503, nil),
    ]

    @Test(arguments: outcomes)
    func theSchedulersRefusals(_ outcome: Outcome, _ status: Int, _ retryAfter: String?) throws {
        for (path, speaksAnthropic) in [("/v1/chat/completions", false), ("/v1/messages", true)] {
            let gateway = try EmbeddedGateway { event, _, effects in
                guard case .arrived(let arrival) = event else { return }
                effects.append(.refuse(arrival.work, outcome, retryAfter: .seconds(6.1)))
            }
            let body = "{\"model\":\"mock\"}"
            let request = "POST \(path) HTTP/1.1\r\n\(Self.head)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
            #expect(gateway.deliver(request + request))
            let answers = try gateway.answers()
            #expect(answers.map(\.status) == [status, status])
            for answer in answers {
                try checkBody(answer, outcome.rawValue, speaksAnthropic: speaksAnthropic)
                #expect(answer.header("retry-after") == retryAfter)
                #expect(answer.header("x-request-id") != nil && answer.header("connection") == nil)
            }
            for record in gateway.finish() {
                #expect(record.outcome == outcome && record.status == status && record.refusal == outcome.rawValue)
                #expect(record.bytesOut == answers[0].body.count)
            }
        }
    }

    @Test func aMissingKeyIsToldInTheClientsWords() throws {
        struct NoKey: Identifying {
            func identify(authorization: String?, apiKey: String?) -> Identity? { nil }
        }
        for (path, speaksAnthropic) in [("/v1/responses", false), ("/v1/messages", true)] {
            let gateway = try EmbeddedGateway(identity: NoKey(), script: { _, _, _ in })
            gateway.deliver("POST \(path) HTTP/1.1\r\n\(Self.head)Content-Length: 2\r\n\r\n{}")
            let answer = try #require(try gateway.answers().first)
            #expect(answer.status == 401 && answer.header("www-authenticate") == "Bearer")
            try checkBody(answer, "invalid_api_key", speaksAnthropic: speaksAnthropic)
            #expect(gateway.finish().map(\.refusal) == ["invalid_api_key"])
        }
    }

    @Test(arguments: [
        "Content-Encoding: identity\r\n", "Content-Encoding: Identity\r\n", "Content-Type: application/json;a=b\r\n",
        "Content-Type: application/vnd.api+json\r\n", "Connection: \(String(repeating: "close,", count: 100))\r\n",
        "Connection: \((1...16).map { "a\($0)" }.joined(separator: ","))\r\n", "Connection: ,,,,,,,,,,,,,,,,,,,,,\r\n",
    ])
    func whatLooksLikeItIsTaken(_ line: String) throws {
        let gateway = try EmbeddedGateway(script: { _, _, _ in })
        let body = "{\"model\":\"mock\"}"
        gateway.deliver("POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\(line)Content-Length: 16\r\n\r\n\(body)")
        #expect(gateway.arrivals == 1)
        #expect(gateway.finish().map(\.refusal) == [""])
    }

    /// The label of the metric is one of a list, and the list is in the operator's manual.
    @Test func everyReasonIsInTheManual() throws {
        let manual = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/operations.md")
        let text = try String(contentsOf: manual, encoding: .utf8)
        for code in StatusTable.codes { #expect(text.contains("`\(code)`"), "\(code)") }
        let seen = (Self.meanings + Self.framings + Self.heads + Self.lines).map(\.code)
        for code in seen { #expect(StatusTable.codes.contains(code), "\(code)") }
        #expect(Set(StatusTable.codes).count == StatusTable.codes.count)
    }
}
