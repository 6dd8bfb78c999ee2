import NIOCore
import NIOPosix

/// One HTTP request on a connection of its own, its answer read to the end of the connection.
struct Exchange: Sendable {
    struct Answer: Sendable {
        var status: Int
        /// Head and body as they came, chunk framing included.
        var text: String

        var body: String {
            text.firstRange(of: "\r\n\r\n").map { String(text[$0.upperBound...]) } ?? ""
        }
    }

    let port: Int

    func get(_ path: String, key: String = "none") async throws -> Answer {
        let lines = "Host: h\r\nAuthorization: Bearer \(key)\r\nConnection: close\r\n"
        return try await Call(port: port, text: "GET \(path) HTTP/1.1\r\n\(lines)\r\n").answer()
    }

    func post(_ path: String, _ body: String, key: String = "none") async throws -> Answer {
        try await begin(path, body, key: key).answer()
    }

    /// Sends a request; its answer is read later.
    func begin(_ path: String, _ body: String, key: String = "none") async throws -> Call {
        try await Call(
            port: port,
            text:
                "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nAuthorization: Bearer \(key)\r\n"
                + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
    }

    /// An exchange under way.
    final class Call: Sendable {
        private let channel: any Channel
        private let pieces: AsyncStream<String>

        init(port: Int, text: String) async throws {
            let (pieces, piece) = AsyncStream.makeStream(of: String.self)
            self.pieces = pieces
            channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(Gatherer(piece))
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
            try await channel.writeAndFlush(ByteBuffer(string: text))
        }

        /// Waits until the answer contains `text`; false when it ended before. What was read is gone for `answer`.
        func reads(_ text: String) async -> Bool {
            var read = ""
            for await piece in pieces {
                read += piece
                if read.contains(text) { return true }
            }
            return false
        }

        func answer() async throws -> Answer {
            var text = ""
            for await piece in pieces { text += piece }
            let words = text.prefix { $0 != "\r\n" }.split(separator: " ")
            return Answer(status: words.count > 1 ? Int(words[1]) ?? 0 : 0, text: text)
        }
    }
}

private final class Gatherer: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    private let piece: AsyncStream<String>.Continuation

    init(_ piece: AsyncStream<String>.Continuation) { self.piece = piece }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        piece.yield(String(buffer: unwrapInboundIn(data)))
    }

    func channelInactive(context: ChannelHandlerContext) { piece.finish() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        piece.finish()
        context.close(promise: nil)
    }
}

extension Exchange {
    /// Uploads a batch input file and returns its id.
    func upload(_ text: String) async throws -> String {
        let boundary = "boundary-of-a-form"
        let body =
            "--\(boundary)\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"
            + "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b.jsonl\"\r\n"
            + "Content-Type: application/jsonl\r\n\r\n\(text)\r\n--\(boundary)--\r\n"
        let call = try await Call(
            port: port,
            text: "POST /v1/files HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=\(boundary)\r\n"
                + "Content-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)")
        return try await call.answer().member("id")
    }
}

extension Exchange.Answer {
    /// The first text member of this name in the body; "" when there is none.
    func member(_ name: String) -> String {
        guard let start = body.firstRange(of: "\"\(name)\":\"") else { return "" }
        return String(body[start.upperBound...].prefix { $0 != "\"" })
    }
}
