/// A request or response as a test sees it.
struct TestMessage: Sendable {
    var firstLine: String
    var headers: [(name: String, value: String)]
    var body: [UInt8] = []
    var chunks: [[UInt8]] = []

    init(head: String) {
        let lines = head.split(separator: "\r\n", omittingEmptySubsequences: true).map(String.init)
        firstLine = lines.first ?? ""
        headers = lines.dropFirst().map { line in
            let parts = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count > 1 ? parts[1].drop { $0 == " " } : ""
            return (String(parts[0]), String(value))
        }
    }

    var status: Int? { firstLine.hasPrefix("HTTP/") ? Int(firstLine.split(separator: " ")[1]) : nil }
    var text: String { String(decoding: body, as: UTF8.self) }
    var lines: [String] { headers.map { "\($0.name): \($0.value)" } }

    func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    func count(_ name: String) -> Int { headers.filter { $0.name.lowercased() == name.lowercased() }.count }
}

extension TestMessage {
    /// The whole messages at the start of `bytes`, and what is left behind them.
    /// `isHead` tells by its place that an answer has no body.
    static func read(
        _ bytes: [UInt8], isHead: (Int) -> Bool = { _ in false }
    ) -> (messages: [TestMessage], rest: ArraySlice<UInt8>) {
        var (messages, rest): ([TestMessage], ArraySlice<UInt8>) = ([], bytes[...])
        while let (message, end) = first(in: rest, isHead: isHead(messages.count)) {
            messages.append(message)
            rest = rest[end...]
        }
        return (messages, rest)
    }

    private static func first(in bytes: ArraySlice<UInt8>, isHead: Bool) -> (TestMessage, end: Int)? {
        guard let (head, bodyStart) = through("\r\n\r\n", in: bytes) else { return nil }
        var message = TestMessage(head: head)
        if isHead || message.status == 204 { return (message, bodyStart) }
        guard message.header("transfer-encoding") == "chunked" else {
            let length = message.header("content-length").flatMap { Int($0) } ?? 0
            guard bytes.endIndex - bodyStart >= length else { return nil }
            message.body = Array(bytes[bodyStart..<(bodyStart + length)])
            return (message, bodyStart + length)
        }
        var rest = bytes[bodyStart...]
        while let (line, start) = through("\r\n", in: rest), let size = Int(line.dropLast(1), radix: 16) {
            guard rest.endIndex - start >= size + 2 else { return nil }
            if size == 0 { return (message, start + 2) }
            message.chunks.append(Array(rest[start..<(start + size)]))
            message.body += rest[start..<(start + size)]
            rest = rest[(start + size + 2)...]
        }
        return nil
    }

    private static func through(_ mark: String, in bytes: ArraySlice<UInt8>) -> (text: String, end: Int)? {
        guard let end = bytes.firstRange(of: Array(mark.utf8))?.upperBound else { return nil }
        return (String(decoding: bytes[..<end], as: UTF8.self), end)
    }
}
