import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// A model server that does what a test's script says, byte by byte.
final class FakeEngine: Sendable {
    typealias Script = @Sendable (TestSocket) async throws -> Void

    private let script: Mutex<Script>
    private let server: Mutex<(any Channel)?> = Mutex(nil)
    private let accepted = Mutex(0)
    private let incoming: AsyncStream<TestSocket>
    private let arrivals: AsyncStream<TestSocket>.Continuation
    private let tls: NIOSSLContext?

    /// The script runs once for each connection; with TLS, behind its handshake.
    init(tls: NIOSSLContext? = nil, _ script: @escaping Script) {
        self.tls = tls
        self.script = Mutex(script)
        (incoming, arrivals) = AsyncStream.makeStream()
    }

    var connections: Int { accepted.withLock { $0 } }

    /// Answers every request of every connection with these bytes.
    static func answering(_ answer: @escaping @Sendable (TestMessage) -> String) -> FakeEngine {
        FakeEngine { socket in
            while let request = await socket.takeMessage() { try await socket.send(answer(request)) }
        }
    }

    func start() async throws -> Int {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (stream, continuation) = AsyncStream<ByteBuffer>.makeStream()
                    if let tls = self.tls {
                        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    try channel.pipeline.syncOperations.addHandler(PieceHandler(continuation))
                    self.accepted.withLock { $0 += 1 }
                    self.arrivals.yield(TestSocket(channel: channel, pieces: stream))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        server.withLock { $0 = channel }
        return channel.localAddress?.port ?? 0
    }

    func run() async {
        await withDiscardingTaskGroup { group in
            for await socket in incoming {
                let script = script.withLock { $0 }
                group.addTask {
                    try? await script(socket)
                    await socket.close()
                }
            }
        }
    }

    func stop() async {
        let channel = server.withLock { $0 }
        try? await channel?.close().get()
        arrivals.finish()
    }
}

func jsonAnswer(_ body: String, status: String = "200 OK", extra: String = "") -> String {
    "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(extra)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}

let streamHead =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"

func chunk(_ text: String) -> String { "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n" }

func event(_ content: String) -> String { "data: {\"choices\":[{\"delta\":{\"content\":\"\(content)\"}}]}\n\n" }
