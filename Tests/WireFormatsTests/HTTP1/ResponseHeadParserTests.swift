import Testing
import WireFormats

@Suite struct ResponseHeadParserTests {
    func parse(_ string: String) -> (HeadProgress, ResponseHead) {
        var parser = ResponseHeadParser(limits: HTTPLimits())
        return (Array(string.utf8).withUnsafeBytes { parser.parse($0) }, parser.head)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, BodyFraming.length(5), true),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", 200, .chunked, true),
        ("HTTP/1.1 200 OK\r\n\r\n", 200, .untilClose, false),
        ("HTTP/1.1 200\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", 200, .none, false),
        ("HTTP/1.1 204 No Content\r\n\r\n", 204, .none, true),
        ("HTTP/1.1 503 \r\nContent-Length: 1\r\n\r\n", 503, .length(1), true),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", 200, .length(1), false),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive\r\n\r\n", 200, .length(1), true),
        ("HTTP/1.1 100 Continue\r\n\r\n", 100, .none, true),
    ])
    func reads(_ message: String, _ status: Int, _ framing: BodyFraming, _ keepsAlive: Bool) {
        let (progress, head) = parse(message)
        #expect(progress == .complete(message.utf8.count))
        #expect(head.status == status)
        #expect(head.framing == framing)
        #expect(head.keepsAlive == keepsAlive)
    }

    @Test(arguments: [
        ("HTTP/2 200 OK\r\n\r\n", HTTPRefusal.badStatusLine),
        ("HTTP/1.1 20 OK..\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 999 OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200OK\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200 O\u{1}K\r\n\r\n", .badStatusLine),
        ("HTTP/1.1 200 OK\nA: b\n\n", .bareLineFeed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", .duplicateContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", .conflictingLengths),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .badTransferCoding),
        ("SSH-2.0-OpenSSH_9.2p1\r\n", .badStatusLine),
    ])
    func refuses(_ message: String, _ refusal: HTTPRefusal) {
        #expect(parse(message).0 == .refused(refusal))
    }

    @Test func everyCutReadsTheSame() {
        let bytes = Array("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        for cut in 0..<bytes.count {
            var parser = ResponseHeadParser(limits: HTTPLimits())
            #expect(Array(bytes[..<cut]).withUnsafeBytes { parser.parse($0) } == .incomplete)
            #expect(bytes.withUnsafeBytes { parser.parse($0) } == .complete(bytes.count))
            #expect(parser.head.framing == .chunked)
        }
    }
}
