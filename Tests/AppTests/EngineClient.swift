import EngineModel
import NIOCore
import NIOPosix
import Testing

@testable import App

/// A client connection for tests: sends requests as bytes, reads answers piece by piece.
struct EngineClient {
    struct Head {
        var status: Int
        /// Names in lower case.
        var headers: [String: String]
    }

    struct Answer {
        var head: Head
        var text: String

        var status: Int { head.status }
        func json() throws -> JSONValue { try JSONReader.read(text) }
    }

    /// The connection ended before the answer did.
    struct Ended: Error {}

    /// The engine broke HTTP's framing.
    struct BadFraming: Error {
        var found: String
    }

    private enum Body {
        case none
        case bytes(Int)
        case chunked
    }

    let channel: any Channel
    private var buffers: AsyncThrowingStream<ByteBuffer, any Error>.Iterator
    private var received = ByteBuffer()
    private var body = Body.none
    /// Text of the stream that is not an event yet.
    private var pending = ""

    /// `reads` false: a client that takes nothing from its socket.
    static func connect(port: Int, reads: Bool = true) async throws -> EngineClient {
        let (stream, continuation) = AsyncThrowingStream<ByteBuffer, any Error>.makeStream()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.autoRead, value: reads)
            .channelOption(.socketOption(.so_rcvbuf), value: reads ? 1 << 20 : 4096)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(ByteForwarder(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return EngineClient(channel: channel, buffers: stream.makeAsyncIterator())
    }

    private init(channel: any Channel, buffers: AsyncThrowingStream<ByteBuffer, any Error>.Iterator) {
        self.channel = channel
        self.buffers = buffers
    }

    func write(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)).get() }

    func send(_ method: String = "POST", _ path: String, _ body: String = "", headers: String = "") async throws {
        try await write(
            "\(method) \(path) HTTP/1.1\r\nhost: engine\r\ncontent-length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    mutating func head() async throws -> Head {
        let status = try await line().split(separator: " ")
        guard status.count >= 2, status[0] == "HTTP/1.1", let code = Int(status[1]) else {
            throw BadFraming(found: status.joined(separator: " "))
        }
        var headers: [String: String] = [:]
        while case let line = try await line(), !line.isEmpty {
            guard let colon = line.firstIndex(of: ":") else { throw BadFraming(found: line) }
            let value = line[line.index(after: colon)...]
            headers[line[..<colon].lowercased()] = String(value.drop { $0 == " " })
        }
        if headers["transfer-encoding"] == "chunked" {
            body = .chunked
        } else {
            guard let length = headers["content-length"].flatMap({ Int($0) }) else {
                throw BadFraming(found: "no length")
            }
            body = .bytes(length)
        }
        return Head(status: code, headers: headers)
    }

    /// The next piece of the body; nil at its end.
    private mutating func piece() async throws -> String? {
        switch body {
        case .none: return nil
        case .bytes(let length):
            body = .none
            return length > 0 ? try await text(length) : nil
        case .chunked:
            let size = try await line()
            guard let length = Int(size, radix: 16) else { throw BadFraming(found: size) }
            let text = try await text(length)
            guard try await line().isEmpty else { throw BadFraming(found: "no line end after a chunk") }
            if length == 0 { body = .none }
            return length > 0 ? text : nil
        }
    }

    private mutating func fill() async throws {
        guard var buffer = try await buffers.next() else { throw Ended() }
        received.writeBuffer(&buffer)
    }

    private mutating func text(_ length: Int) async throws -> String {
        while received.readableBytes < length { try await fill() }
        return received.readString(length: length) ?? ""
    }

    private mutating func line() async throws -> String {
        while true {
            if let end = received.readableBytesView.firstRange(of: Array("\r\n".utf8)) {
                let line = received.readString(length: end.lowerBound - received.readerIndex) ?? ""
                received.moveReaderIndex(forwardBy: 2)
                return line
            }
            try await fill()
        }
    }

    mutating func answer() async throws -> Answer {
        let head = try await head()
        var text = ""
        while let piece = try await piece() { text += piece }
        return Answer(head: head, text: text)
    }

    mutating func ask(_ method: String = "POST", _ path: String, _ body: String = "") async throws -> Answer {
        try await send(method, path, body)
        return try await answer()
    }

    /// The data of the next event of a stream whose head was read; nil at its end.
    mutating func event() async throws -> String? {
        while true {
            if let end = pending.firstRange(of: "\n\n") {
                let event = pending[..<end.lowerBound]
                pending = String(pending[end.upperBound...])
                return String(event.split(separator: "\n").last { $0.hasPrefix("data: ") }?.dropFirst(6) ?? "")
            }
            guard let piece = try await piece() else { return nil }
            pending += piece
        }
    }

    /// All events of a stream, its head included.
    mutating func events() async throws -> [String] {
        _ = try await head()
        var events: [String] = []
        while let event = try await event() { events.append(event) }
        return events
    }

    func close() async throws { try await channel.close().get() }
}

private final class ByteForwarder: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let continuation: AsyncThrowingStream<ByteBuffer, any Error>.Continuation

    init(_ continuation: AsyncThrowingStream<ByteBuffer, any Error>.Continuation) { self.continuation = continuation }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { continuation.yield(unwrapInboundIn(data)) }

    func channelInactive(context: ChannelHandlerContext) { continuation.finish() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        continuation.finish(throwing: error)
        context.close(promise: nil)
    }
}

/// Runs an engine on a free port for the length of `body`. Exact step times, no overhead, 200 times real speed.
@discardableResult
func withEngine<Result>(
    _ change: (inout EngineOptions) -> Void = { _ in }, crash: @escaping @Sendable () -> Void = {},
    _ body: (Int) async throws -> Result
) async throws -> Result {
    var options = EngineOptions(model: "tide")
    options.engine.noiseSigma = 0
    options.requestOverhead = .zero
    options.speed = 200
    change(&options)
    let server = try await EngineServer.start(
        options, on: MultiThreadedEventLoopGroup.singleton.next(), crash: crash)
    do {
        let result = try await body(server.port)
        try await server.stop()
        return result
    } catch {
        try await server.stop()
        throw error
    }
}

/// Asks the engine for its books until they are as expected; fails after many questions.
func state(port: Int, until isReached: ([String: Int]) -> Bool = { _ in true }) async throws -> [String: Int] {
    var client = try await EngineClient.connect(port: port)
    var books: [String: Int] = [:]
    for _ in 0..<20_000 {
        guard case .object(let members) = try await client.ask("GET", "/admin/state").json() else { break }
        for member in members { books[member.name] = member.value.integer }
        if isReached(books) {
            try await client.close()
            return books
        }
    }
    Issue.record("the engine never got there: \(books)")
    return books
}

extension JSONValue {
    /// The text of the first choice, whole or delta, chat or completion.
    var choiceText: String? {
        let choice = self["choices"]?.array?.first
        return choice?["message"]?["content"]?.text ?? choice?["delta"]?["content"]?.text ?? choice?["text"]?.text
    }

    var finishReason: String? { self["choices"]?.array?.first?["finish_reason"]?.text }

    func tokens(_ name: String) -> [Int] { self[name]?.array?.compactMap(\.integer) ?? [] }
}
