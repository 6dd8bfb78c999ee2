import Testing
import WireFormats

@Suite struct RequestHeadParserTests {
    static let plain =
        "POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: a.example:8080\r\nContent-Length:  12 \r\nX-Custom:c1\r\n\r\n"

    @Test func readsAHeadInPlace() {
        #expect(
            readRequest(Self.plain)
                == .head(
                    method: "POST", target: "/v1/chat/completions?x=1",
                    fields: ["Host=a.example:8080", "Content-Length=12", "X-Custom=c1"], length: Self.plain.utf8.count))
    }

    @Test func leavesWhatFollowsTheHead() {
        let bytes = Array((Self.plain + "hello").utf8)
        guard case .head(_, _, _, let length) = readRequest(bytes) else {
            Issue.record("not a head")
            return
        }
        #expect(length == Self.plain.utf8.count)
    }

    @Test func everyCutReadsTheSame() {
        let samples = [
            Self.plain, "\r\n" + Self.plain, "GET http://h/a HTTP/1.1\r\nHost: h\r\nConnection: close, x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: h\r\n folded\r\n\r\n", "GET / HTTP/1.1\nHost: h\r\n\r\n",
        ]
        for sample in samples {
            let bytes = Array(sample.utf8)
            let whole = readRequest(bytes)
            for cut in 0...bytes.count { #expect(readRequest(bytes, cuts: [cut]) == whole) }
            #expect(readRequest(bytes, cuts: Array(0..<bytes.count)) == whole)
        }
    }

    @Test func takesTheFramingFromTheHead() {
        var parser = RequestHeadParser(limits: HTTPLimits())
        let progress = Array(Self.plain.utf8).withUnsafeBytes { parser.parse($0) }
        #expect(progress == .complete(Self.plain.utf8.count))
        #expect(parser.head.method == .post)
        #expect(parser.head.fields.contentLength == 12)
        #expect(!parser.head.fields.isChunked)
        #expect(parser.head.hasBody)
        parser.reset()
        let next = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-Continue\r\n\r\n"
        #expect(Array(next.utf8).withUnsafeBytes { parser.parse($0) } == .complete(next.utf8.count))
        #expect(parser.head.fields.contentLength == nil)
        #expect(parser.head.fields.saysClose)
        #expect(parser.head.expectsContinue)
        #expect(!parser.head.hasBody)
    }

    /// Names are compared eight bytes at a time: any case must match, and any other change of one byte must not.
    @Test(arguments: [
        ("expect", FieldName.expect), ("x-api-key", .apiKey), ("connection", .connection), ("retry-after", .retryAfter),
        ("content-type", .contentType), ("x-request-id", .requestID), ("authorization", .authorization),
        ("content-length", .contentLength), ("http2-settings", .http2Settings), ("x-forwarded-for", .forwardedFor),
        ("content-encoding", .contentEncoding), ("transfer-encoding", .transferEncoding),
        ("proxy-authenticate", .proxyAuthenticate), ("proxy-authorization", .proxyAuthorization),
    ])
    func namesAreRecognisedInAnyCaseAndNoOther(_ name: String, _ expected: FieldName) {
        let letters = Array(name.utf8)
        #expect(recognised(letters) == expected)
        #expect(recognised(Array(name.uppercased().utf8)) == expected)
        for place in letters.indices {
            var changed = letters
            for byte in UInt8(0x21)..<0x7f where byte != 0x3a {
                changed[place] = byte
                let isSame = byte == letters[place] || (byte | 0x20 == letters[place] && letters[place] >= 0x61)
                // What is no token is refused, and then no field is there.
                guard let found = recognised(changed) else { continue }
                #expect((found == expected) == isSame, "byte \(byte) at \(place)")
            }
        }
    }

    private func recognised(_ name: [UInt8]) -> FieldName? {
        var parser = RequestHeadParser(limits: HTTPLimits())
        _ = (Array("GET / HTTP/1.1\r\n".utf8) + name + Array(": 1\r\n\r\n".utf8)).withUnsafeBytes { parser.parse($0) }
        return parser.head.fields.all.first?.name
    }

    /// Every line: what a lenient parser somewhere would read in another way.
    @Test(arguments: [
        ("GET / HTTP/1.1\nHost: h\n\n", HTTPRefusal.bareLineFeed),
        ("GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nHost: h\r\n\n", .bareLineFeed),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\rb\r\n\r\n", .badFieldValue),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n", .badFieldValue),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\u{7f}\r\n\r\n", .badFieldValue),
        ("GET / HTTP/1.1\r\nHost: h\r\n folded: x\r\n\r\n", .obsoleteFolding),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\tb\r\n\r\n", .obsoleteFolding),
        ("GET / HTTP/1.1\r\nHost : h\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\nHost\t: h\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\n: h\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\nHost: h\r\nX(y): 1\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\nHost: h\r\nContent-Length\u{b}: 3\r\n\r\n", .badFieldName),
        ("GET / HTTP/1.1\r\nX: y\r\n\r\n", .missingHost),
        ("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n", .duplicateHost),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .badHost),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", .badHost),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", .duplicateContentLength),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\n", .duplicateContentLength),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\n", .badContentLength),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\n", .badContentLength),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\n", .badContentLength),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\n", .badContentLength),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5 5\r\n\r\n", .badContentLength),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", .badContentLength),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9999999999999999999\r\n\r\n", .badContentLength),
        ("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", .conflictingLengths),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", .conflictingLengths),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .badTransferCoding),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", .badTransferCoding),
        (
            "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
            .badTransferCoding
        ),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n", .badTransferCoding),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", .badTransferCoding),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", .badTransferCoding),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n", .badTransferCoding),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\u{b}chunked\r\n\r\n", .badFieldValue),
        ("GET / HTTP/1.0\r\nHost: h\r\n\r\n", .badVersion),
        ("GET / HTTP/2.0\r\nHost: h\r\n\r\n", .badVersion),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .badVersion),
        ("GET / HTTP/1.10\r\nHost: h\r\n\r\n", .badRequestLine),
        ("GET / http/1.1\r\nHost: h\r\n\r\n", .badRequestLine),
        ("GET /\r\nHost: h\r\n\r\n", .badRequestLine),
        ("GET\r\n\r\n", .badRequestLine),
        ("GET  / HTTP/1.1\r\nHost: h\r\n\r\n", .badTarget),
        ("GET /  HTTP/1.1\r\nHost: h\r\n\r\n", .badRequestLine),
        ("GET / HTTP/1.1 \r\nHost: h\r\n\r\n", .badRequestLine),
        ("GET\t/ HTTP/1.1\r\nHost: h\r\n\r\n", .badMethod),
        (" GET / HTTP/1.1\r\nHost: h\r\n\r\n", .badMethod),
        ("G(T / HTTP/1.1\r\nHost: h\r\n\r\n", .badMethod),
        ("\u{16}\u{3}\u{1}", .badMethod),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", .badMethod),
        ("GET /a#b HTTP/1.1\r\nHost: h\r\n\r\n", .badTarget),
        ("GET /\u{e9} HTTP/1.1\r\nHost: h\r\n\r\n", .badTarget),
        ("GET a HTTP/1.1\r\nHost: h\r\n\r\n", .badTarget),
        ("GET * HTTP/1.1\r\nHost: h\r\n\r\n", .badTarget),
        ("GET ftp://h/a HTTP/1.1\r\nHost: h\r\n\r\n", .badTarget),
        ("GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n", .badTarget),
        ("GET http://other/a HTTP/1.1\r\nHost: h\r\n\r\n", .badTarget),
        ("GET http://u@h/a HTTP/1.1\r\nHost: h\r\n\r\n", .badTarget),
        ("CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", .connectMethod),
        ("POST / HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\n\r\n", .badExpectation),
    ])
    func refuses(_ message: String, _ refusal: HTTPRefusal) {
        #expect(readRequest(message) == .refused(refusal))
    }

    @Test func takesAbsoluteFormOfTheSameHost() {
        #expect(
            readRequest("GET http://H:80/a?b HTTP/1.1\r\nHost: h:80\r\n\r\n")
                == .head(method: "GET", target: "/a?b", fields: ["Host=h:80"], length: 44))
        #expect(
            readRequest("OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n")
                == .head(method: "OPTIONS", target: "*", fields: ["Host=h"], length: 31))
    }

    @Test func holdsEveryLimit() {
        let limits = HTTPLimits(
            targetBytes: 10, fieldLineBytes: 20, fieldCount: 3, headBytes: 80, connectionOptions: 2)
        func refusal(_ text: String) -> RequestReading { readRequest(text, limits: limits) }
        let host = "Host: h\r\n"
        #expect(refusal("GET /123456789 HTTP/1.1\r\n\(host)\r\n") != .refused(.targetTooLong))
        #expect(refusal("GET /1234567890 HTTP/1.1\r\n\(host)\r\n") == .refused(.targetTooLong))
        #expect(refusal("GET /" + String(repeating: "a", count: 100)) == .refused(.targetTooLong))
        #expect(refusal("GET / HTTP/1.1\r\n\(host)A: 67890123456789012\r\n\r\n") != .refused(.fieldLineTooLong))
        #expect(refusal("GET / HTTP/1.1\r\n\(host)A: 678901234567890123\r\n\r\n") == .refused(.fieldLineTooLong))
        #expect(refusal("GET / HTTP/1.1\r\n\(host)A: 6789012345678901234") == .refused(.fieldLineTooLong))
        #expect(refusal("GET / HTTP/1.1\r\n\(host)A: 1\r\nB: 1\r\nC: 1\r\n\r\n") == .refused(.tooManyFields))
        let long = "GET / HTTP/1.1\r\n\(host)A: 6789012345678901\r\nB: 6789012345678901\r\n"
        #expect(refusal(long + "C: 6789012345678901\r\n\r\n") == .refused(.headTooLarge))
        func options(_ lines: String) -> RequestReading { refusal("GET / HTTP/1.1\r\n\(host)\(lines)\r\n") }
        #expect(options("Connection: a,,b, \r\n") != .refused(.tooManyConnectionOptions))
        #expect(options("Connection: close,b\r\nConnection:a\r\n") != .refused(.tooManyConnectionOptions))
        #expect(options("Connection: a,b,c\r\n") == .refused(.tooManyConnectionOptions))
        #expect(options("Connection: a\r\nConnection:b,c\r\n") == .refused(.tooManyConnectionOptions))
    }

    /// What a `Connection` line names stays on this hop, whatever its case; a longer or shorter name does not.
    @Test func knowsWhatAConnectionLineNames() {
        let head =
            "GET / HTTP/1.1\r\nHost: h\r\nX-One: 1\r\nConnection: keep-alive, x-ONE\r\nX-On: 2\r\nX-Two: 3\r\n"
            + "Connection:\tX-Two ,\r\nX-One-More: 4\r\n\r\n"
        var parser = RequestHeadParser(limits: HTTPLimits())
        Array(head.utf8).withUnsafeBytes { bytes in
            #expect(parser.parse(bytes) == .complete(head.utf8.count))
            let fields = parser.head.fields
            let named = fields.all.filter { fields.isNamedInConnection($0, bytes) }
            #expect(named.map { text(Array(bytes), $0.nameRange) } == ["X-One", "X-Two"])
        }
        parser.reset()
        let next = "GET / HTTP/1.1\r\nHost: h\r\nX-One: 1\r\n\r\n"
        Array(next.utf8).withUnsafeBytes { bytes in
            #expect(parser.parse(bytes) == .complete(next.utf8.count))
            #expect(!parser.head.fields.isNamedInConnection(parser.head.fields.all[1], bytes))
        }
    }

    @Test func noSeedCrashesItOrSplitsItsReadings() {
        let seedMessage = Array(Self.plain.utf8)
        for seed in 1...400 {
            var random = SeededBytes(seed: UInt64(seed))
            var bytes = seedMessage
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                let interesting: [UInt8] = [0, 9, 10, 13, 32, 44, 58, 59, 127, 128, 255, 65]
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[index] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[index] = interesting.randomElement(using: &random) ?? 0
                case 2: bytes.insert(interesting.randomElement(using: &random) ?? 0, at: index)
                default: bytes.remove(at: index)
                }
            }
            let whole = readRequest(bytes)
            let cut = Int.random(in: 0...bytes.count, using: &random)
            #expect(readRequest(bytes, cuts: [cut]) == whole, "seed \(seed)")
            #expect(readRequest(bytes, cuts: Array(0..<bytes.count)) == whole, "seed \(seed)")
        }
    }
}
