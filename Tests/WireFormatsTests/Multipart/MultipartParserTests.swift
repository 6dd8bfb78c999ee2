import Testing
import WireFormats

/// A part with its content put together again.
private struct WholePart: Equatable {
    var head: MultipartPart
    var content: [UInt8] = []
    var isEnded = false
}

@Suite struct MultipartParserTests {
    /// Gives the body in the pieces that `cuts` (ascending offsets) makes.
    private func read(_ body: [UInt8], boundary: String = "xyz", cuts: [Int] = [], limits: MultipartLimits = .init())
        throws -> [WholePart]
    {
        var parser = MultipartParser(boundary: try #require(MultipartBoundary(boundary)), limits: limits)
        var parts: [WholePart] = []
        var start = 0
        for end in cuts + [body.count] {
            let piece = Array(body[start..<end])
            start = end
            var events: [MultipartEvent] = []
            try piece.withUnsafeBytes { try parser.consume($0, events: &events) }
            for event in events {
                switch event {
                case .partBegan(let head): parts.append(WholePart(head: head))
                case .content(let range): parts[parts.count - 1].content += piece[range]
                case .held(let bytes): parts[parts.count - 1].content += bytes
                case .partEnded: parts[parts.count - 1].isEnded = true
                case .ended: break
                }
            }
        }
        try parser.finish()
        return parts
    }

    private static let upload = Array(
        """
        preamble\r
        --xyz\r
        Content-Disposition: form-data; name="purpose"\r
        \r
        batch\r
        --xyz  \r
        content-disposition: form-data; filename="a \\"b\\".jsonl"; name=file\r
        Content-Type: application/jsonl; charset=utf-8\r
        \r
        {"a":1}\r\n\r\r\n--xy\r\n--xyx\n--xyz\r\r\n-\r
        --xyz\r
        Content-Disposition: form-data; name="empty"\r
        \r
        \r
        --xyz--\r
        epilogue
        """.utf8)

    private static let parts = [
        WholePart(head: MultipartPart(name: "purpose"), content: Array("batch".utf8), isEnded: true),
        WholePart(
            head: MultipartPart(name: "file", filename: "a \"b\".jsonl", contentType: "application/jsonl"),
            content: Array("{\"a\":1}\r\n\r\r\n--xy\r\n--xyx\n--xyz\r\r\n-".utf8), isEnded: true),
        WholePart(head: MultipartPart(name: "empty"), content: [], isEnded: true),
    ]

    @Test func readsPartsInOrder() throws {
        #expect(try read(Self.upload) == Self.parts)
    }

    @Test func sameWhereverItIsCutOnce() throws {
        for cut in 0...Self.upload.count { #expect(try read(Self.upload, cuts: [cut]) == Self.parts, "cut at \(cut)") }
    }

    @Test func sameByteByByte() throws {
        #expect(try read(Self.upload, cuts: Array(1..<Self.upload.count)) == Self.parts)
    }

    @Test func sameCutTwiceAnywhereNearDelimiters() throws {
        for first in stride(from: 0, to: Self.upload.count, by: 3) {
            for second in stride(from: first, to: min(first + 24, Self.upload.count), by: 1) {
                #expect(try read(Self.upload, cuts: [first, second]) == Self.parts, "cut at \(first), \(second)")
            }
        }
    }

    @Test func everyBeginningIsTruncatedOrRefused() {
        // The closing delimiter ends with `--`; from there on only the epilogue is missing.
        let closed = Self.upload.count - "\r\nepilogue".utf8.count
        for length in 0..<closed {
            #expect(throws: MultipartError.truncated) { try read(Array(Self.upload[..<length])) }
        }
        #expect((try? read(Array(Self.upload[..<closed]))) == Self.parts)
    }

    @Test func contentOfDelimiterLookalikesSurvives() throws {
        // Every content over this alphabet up to length 6 must come back byte for byte: the matcher's worst case.
        let alphabet = Array("\r\n-x".utf8)
        var contents: [[UInt8]] = [[]]
        var last = contents
        for _ in 0..<6 {
            last = last.flatMap { head in alphabet.map { head + [$0] } }
            contents += last
        }
        for content in contents {
            // The boundary "x": a content that holds the delimiter is not a content.
            if String(decoding: content, as: UTF8.self).contains("\r\n--x") { continue }
            let body =
                Array("--x\r\nContent-Disposition: form-data; name=f\r\n\r\n".utf8) + content + Array("\r\n--x--".utf8)
            let parts = try read(body, boundary: "x", cuts: [body.count / 2])
            #expect(parts.map(\.content) == [content])
        }
    }

    @Test(arguments: [
        ("--xyz\r\n\r\nno disposition\r\n--xyz--", MultipartError.badPartHeader("Content-Disposition is missing")),
        (
            "--xyz\r\nContent-Disposition: form-data\r\n\r\n\r\n--xyz--",
            .badPartHeader("Content-Disposition names no field")
        ),
        ("--xyz!\r\n", .badDelimiter), ("--xyz-!", .badDelimiter), ("--xyz\rX", .badDelimiter),
        ("--xyz\r\nContent-Disposition: form-data; name=a\n\r\n", .badPartHeader("a line does not end in CR LF")),
    ])
    func refusesBadForms(body: String, error: MultipartError) {
        #expect(throws: error) { try read(Array(body.utf8)) }
    }

    @Test func limitsAreKept() throws {
        var limits = MultipartLimits()
        limits.preambleBytes = 8
        limits.epilogueBytes = 8
        limits.partHeaderBytes = 64
        limits.headersPerPart = 2
        limits.parts = 1
        let part = "--xyz\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n"
        let refuse = { (text: String, error: MultipartError) -> Void in
            _ = #expect(throws: error) { try read(Array(text.utf8), limits: limits) }
        }
        refuse("123456789", .preambleTooLong(limit: 8))
        refuse(part + "--xyz--123456789", .epilogueTooLong(limit: 8))
        refuse("--xyz\r\n" + String(repeating: "a", count: 65), .partHeadersTooLong(limit: 64))
        refuse("--xyz\r\na:1\r\nb:2\r\nc:3\r\n\r\n", .tooManyPartHeaders(limit: 2))
        refuse(part + part + "--xyz--", .tooManyParts(limit: 1))
        #expect(try read(Array((part + "--xyz--").utf8), limits: limits).count == 1)
    }

    @Test func randomBytesNeverTrap() throws {
        var random = Seeded(state: 7)
        for _ in 0..<400 {
            var body = Self.upload
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                let index = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: body[index] = UInt8.random(in: 0...255, using: &random)
                case 1: body.remove(at: index)
                default: body.insert(Array("\r\n-x:;\"".utf8).randomElement(using: &random) ?? 0, at: index)
                }
            }
            let cut = Int.random(in: 0...body.count, using: &random)
            let whole = try? read(body)
            #expect((try? read(body, cuts: [cut])) == whole, "cutting changes nothing")
        }
    }
}

@Suite struct MultipartBoundaryTests {
    @Test func readsQuotedAndBareBoundaries() {
        let read = { (header: String) in
            MultipartBoundary(contentType: header).map { String(decoding: $0.bytes, as: UTF8.self) }
        }
        #expect(read("multipart/form-data; boundary=abc") == "abc")
        #expect(read("Multipart/Form-Data;BOUNDARY=\"a b\"; charset=utf-8") == "a b")
        #expect(read("multipart/form-data; boundary=\"abc") == nil)
        #expect(read("multipart/form-data; boundary=") == nil)
        #expect(read("multipart/form-data; boundary=a; boundary=b") == nil)
        #expect(read("multipart/form-data; boundary=\"a\r\n\"") == nil)
        #expect(read("multipart/form-data; boundary=\(String(repeating: "a", count: 71))") == nil)
        #expect(read("multipart/form-data") == nil)
        #expect(read("multipart/mixed; boundary=abc") == nil)
    }
}

/// A small seeded generator (SplitMix64): a failure repeats.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
