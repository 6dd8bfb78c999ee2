import Foundation
import Testing
import WireFormats

@Suite struct BatchTests {
    static let good =
        #"{"custom_id":"a-1","method":"POST","url":"/v1/chat/completions","body":{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":5}}"#

    func parse(_ line: String) throws -> BatchLine {
        try withBytes(line) { try BatchLine.parse($0, endpoint: "/v1/chat/completions") }
    }

    func failure(_ line: String) -> BatchLineFailure? {
        do {
            _ = try parse(line)
            return nil
        } catch { return error as? BatchLineFailure }
    }

    @Test func readsALine() throws {
        let line = try parse(Self.good)
        #expect(line.customID == "a-1")
        #expect(slice(Self.good, line.body).hasPrefix(#"{"model":"m""#))
        #expect(slice(Self.good, line.body).hasSuffix(#""max_tokens":5}"#))
        #expect(line.request.model == "m" && line.request.maximumOutputTokens == 5)
    }

    @Test(arguments: [
        ("nope", BatchLineFailure.Code.invalidJSON, nil),
        (#"{"custom_id":"a"} x"#, .invalidJSON, nil),
        (#"["custom_id"]"#, .invalidJSON, nil),
        (#"{"method":"POST"}"#, .missingParameter, "custom_id"),
        (#"{"custom_id":7,"method":"POST"}"#, .invalidParameter, "custom_id"),
        (#"{"custom_id":"","method":"POST"}"#, .invalidParameter, "custom_id"),
        (#"{"custom_id":"a"}"#, .missingParameter, "method"),
        (#"{"custom_id":"a","method":"GET"}"#, .invalidMethod, "method"),
        (#"{"custom_id":"a","method":"POST"}"#, .missingParameter, "url"),
        (#"{"custom_id":"a","method":"POST","url":"/v1/embeddings"}"#, .mismatchedEndpoint, "url"),
        (#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions"}"#, .missingParameter, "body"),
        (#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":[]}"#, .invalidParameter, "body"),
        (#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}"#, .missingParameter, "body.model"),
        (
            #"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":""}}"#, .invalidParameter,
            "body.model"
        ),
        (
            #"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m","stream":true}}"#,
            .streamNotSupported, "body.stream"
        ),
        (
            #"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m","background":true}}"#,
            .backgroundNotSupported, "body.background"
        ),
        (
            #"{"custom_id":"a\u0000b","method":"POST","url":"/v1/chat/completions","body":{"model":"m"}}"#,
            .invalidParameter, "custom_id"
        ),
        (
            #"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"m","model":"n"}}"#,
            .invalidBody, "body"
        ),
        (
            #"{"custom_id":"a","custom_id":"b","method":"POST","url":"/v1/chat/completions","body":{"model":"m"}}"#,
            .invalidJSON, nil
        ),
    ])
    func refuses(_ line: String, _ code: BatchLineFailure.Code, _ param: String?) {
        #expect(failure(line)?.code == code)
        #expect(failure(line)?.param == param)
    }

    @Test func limitsTheCustomID() {
        func line(_ length: Int) -> String {
            Self.good.replacing("a-1", with: String(repeating: "x", count: length))
        }
        #expect(failure(line(512)) == nil)
        #expect(failure(line(513))?.param == "custom_id")
        #expect(failure(line(100_000))?.param == "custom_id")
    }

    /// Numbers, offsets and texts of the lines of a file that comes in pieces.
    func lines(_ pieces: [[UInt8]], limit: Int = 1_000) throws -> [String] {
        var splitter = JSONLines(maximumLineBytes: limit)
        var seen: [String] = []
        let visit = { (line: JSONLines.Line) in
            seen.append("\(line.number)@\(line.offset)+\(line.length)=\(String(decoding: line.bytes, as: UTF8.self))")
        }
        for piece in pieces { try piece.withUnsafeBytes { try splitter.feed($0, visit) } }
        try splitter.finish(visit)
        return seen
    }

    @Test func everyCutGivesTheSameLines() throws {
        let file = Array("{\"a\":1}\r\n\n  \t\r\n{\"é\":2}\n{\"last\":3}".utf8)
        let whole = try lines([file])
        #expect(whole == ["1@0+7={\"a\":1}", "4@15+8={\"é\":2}", "5@24+10={\"last\":3}"])
        for cut in 0...file.count { #expect(try lines([Array(file[..<cut]), Array(file[cut...])]) == whole) }
        #expect(try lines(file.map { [$0] }) == whole)
        #expect(try lines([]).isEmpty)
        #expect(try lines([Array("x\n".utf8)]) == ["1@0+1=x"])
    }

    @Test func linesHaveALimitAndAreUTF8() throws {
        let exact = Array("0123456789\r\n0123456789\n0123456789".utf8)
        #expect(try lines([exact], limit: 10).count == 3)
        #expect(try lines(exact.map { [$0] }, limit: 10).count == 3)
        for pieces in [[Array("1\n01234567890\n".utf8)], Array("1\n01234567890".utf8).map { [$0] }] {
            #expect {
                try lines(pieces, limit: 10)
            } throws: {
                let failure = $0 as? JSONLines.Failure
                return failure?.code == .lineTooLong && failure?.line == 2 && failure?.offset == 2
            }
        }
        #expect {
            try lines([Array("ok\nab".utf8) + [0xFF, 0x0A]])
        } throws: {
            let failure = $0 as? JSONLines.Failure
            return failure?.code == .invalidUTF8 && failure?.line == 2 && failure?.offset == 5
        }
    }

    @Test func writesAnAnswerAsOneLine() throws {
        let body = Array("{\r\n  \"text\": \"a\\nb\",\n  \"big\": 12345678901234567890\n}\n".utf8)
        let line = BatchOutputLine.answered(
            id: "batch_req_1", customID: "a\"1", .init(statusCode: 200, requestID: "r", body: body))
        #expect(line.filter { $0 == 0x0A }.count == 1 && line.last == 0x0A && !line.contains(0x0D))
        let tree = try JSONValue.parse(Array(line.dropLast()))
        #expect(
            tree["id"]?.string == "batch_req_1" && tree["custom_id"]?.string == "a\"1" && tree["error"]?.isNull == true)
        #expect(tree["response"]?["status_code"]?.int == 200 && tree["response"]?["request_id"]?.string == "r")
        #expect(tree["response"]?["body"]?["big"] == .number("12345678901234567890"))
        #expect(tree["response"]?["body"]?["text"]?.string == "a\nb")
    }

    @Test(arguments: [
        (Array("<html>\n</html>".utf8), JSONValue.object([.init("text", .string("<html>\n</html>"))])),
        ([0xFF, 0x41], .object([.init("text", .string("\u{FFFD}A"))])), ([], .null), (Array("7".utf8), .number("7")),
    ])
    func embedsWhatIsNotJSON(_ body: [UInt8], _ embedded: JSONValue) throws {
        let line = BatchOutputLine.answered(id: "i", customID: "c", .init(statusCode: 502, requestID: "r", body: body))
        #expect(try JSONValue.parse(Array(line.dropLast()))["response"]?["body"] == embedded)
        #expect(line.filter { $0 == 0x0A }.count == 1)
    }

    @Test func writesAFailure() {
        let line = BatchOutputLine.failed(id: "i", customID: "c", code: "batch_expired", message: "too\nlate")
        let expected =
            #"{"id":"i","custom_id":"c","response":null,"error":{"code":"batch_expired","message":"too\nlate"}}"# + "\n"
        #expect(String(decoding: line, as: UTF8.self) == expected)
    }

    /// Whatever a mutated line is: it is refused with a code, or its body is JSON at the range that was given.
    @Test func mutatedLines() throws {
        var random = Noise(9)
        let loose = JSONLimits(rejectsDuplicates: false)
        var accepted = 0
        for _ in 0..<4_000 {
            let bytes = mutated(Array(Self.good.utf8), &random)
            let parsed = bytes.withUnsafeBytes { try? BatchLine.parse($0, endpoint: "/v1/chat/completions") }
            if let parsed {
                accepted += 1
                let body = Array(bytes[parsed.body])
                #expect(body.first == UInt8(ascii: "{") && body.withUnsafeBytes { JSONSyntax.isValid($0) })
                #expect(parsed.request.model == (try JSONValue.parse(body, limits: loose))["model"]?.string)
            }
            let output = BatchOutputLine.answered(
                id: "i", customID: "c", .init(statusCode: 200, requestID: "r", body: bytes))
            #expect(output.dropLast().withUnsafeBytes { JSONSyntax.isValid($0) && !$0.contains(0x0A) })
        }
        #expect(accepted > 200)
    }
}
