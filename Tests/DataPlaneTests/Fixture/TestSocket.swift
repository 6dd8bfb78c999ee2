import Glibc
import NIOCore
import NIOPosix

/// A raw TCP connection for tests: bytes out, bytes in, nothing in between.
actor TestSocket {
    nonisolated let channel: any Channel
    private var pieces: AsyncStream<ByteBuffer>.Iterator
    private var isReading = false
    private(set) var received: [UInt8] = []
    private(set) var isEnded = false

    init(channel: any Channel, pieces: AsyncStream<ByteBuffer>) {
        self.channel = channel
        self.pieces = pieces.makeAsyncIterator()
    }

    static func connect(port: Int, autoRead: Bool = true) async throws -> TestSocket {
        let (stream, continuation) = AsyncStream<ByteBuffer>.makeStream()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: autoRead)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(PieceHandler(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        return TestSocket(channel: channel, pieces: stream)
    }

    nonisolated func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    nonisolated func send(_ bytes: [UInt8]) async throws {
        try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    }

    nonisolated func close() async { try? await channel.close().get() }

    /// Ends the connection with a reset.
    nonisolated func reset() async {
        try? await (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        await close()
    }

    private func more() async -> Bool {
        var iterator = pieces
        guard let piece = await iterator.next(isolation: self) else {
            isEnded = true
            return false
        }
        pieces = iterator
        received += Array(buffer: piece)
        return true
    }

    /// Takes bytes up to and with `mark`. Nil when the connection ends before it.
    func take(through mark: String) async -> String? {
        let mark = Array(mark.utf8)
        while true {
            if let end = received.firstRange(of: mark)?.upperBound {
                let text = String(decoding: received[..<end], as: UTF8.self)
                received.removeFirst(end)
                return text
            }
            guard await more() else { return nil }
        }
    }

    func take(count: Int) async -> [UInt8]? {
        while received.count < count {
            guard await more() else { return nil }
        }
        let bytes = Array(received[..<count])
        received.removeFirst(count)
        return bytes
    }

    /// Everything until the other side closes.
    func takeAll() async -> String {
        while await more() {}
        defer { received = [] }
        return String(decoding: received, as: UTF8.self)
    }

    /// Returns when the other side closed.
    func untilClosed() async { while await more() {} }

    /// One message by its framing; `closes`: it may end with the connection.
    func takeMessage(isHead: Bool = false) async -> TestMessage? {
        guard let head = await take(through: "\r\n\r\n") else { return nil }
        var message = TestMessage(head: head)
        if isHead || message.status == 204 || (100..<200).contains(message.status ?? 200) { return message }
        if message.header("transfer-encoding") == "chunked" {
            while true {
                guard let line = await take(through: "\r\n"), let size = Int(line.dropLast(), radix: 16) else {
                    return nil
                }
                guard let piece = await take(count: size + 2) else { return nil }
                message.chunks.append(Array(piece.dropLast(2)))
                if size == 0 { break }
            }
            message.chunks.removeLast()
            message.body = message.chunks.flatMap { $0 }
        } else if let length = message.header("content-length").flatMap({ Int($0) }) {
            guard let body = await take(count: length) else { return nil }
            message.body = body
        }
        return message
    }
}

/// Hands every read to a stream.
final class PieceHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let continuation: AsyncStream<ByteBuffer>.Continuation

    init(_ continuation: AsyncStream<ByteBuffer>.Continuation) { self.continuation = continuation }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { continuation.yield(unwrapInboundIn(data)) }
    func channelInactive(context: ChannelHandlerContext) { continuation.finish() }
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        continuation.finish()
        context.close(promise: nil)
    }
}
