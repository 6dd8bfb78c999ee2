import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A scripted engine on a free port of 127.0.0.1: answers each path as it is told, or not at all.
final class FakeEngine: Sendable {
    enum Answer: Sendable {
        case status(Int, String)
        /// Takes the request and says nothing.
        case silence
        /// Closes the connection instead of answering.
        case hangUp
        /// Answers, and closes without having said so.
        case lastWords(Int, String)
    }

    private let answers: Mutex<[String: Answer]>
    private let seen = Mutex<[String]>([])
    private let accepted = Mutex(0)
    private let channel = Mutex<(any Channel)?>(nil)

    init(_ answers: [String: Answer]) { self.answers = Mutex(answers) }

    func start(on group: any EventLoopGroup) async throws -> Int {
        let server = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                self.accepted.withLock { $0 += 1 }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Responder(engine: self))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        channel.withLock { $0 = server }
        return server.localAddress?.port ?? 0
    }

    func stop() async throws {
        let server = channel.withLock { $0 }
        try await server?.close()
    }

    func set(_ path: String, _ answer: Answer) { answers.withLock { $0[path] = answer } }

    var paths: [String] { seen.withLock { $0 } }
    var connections: Int { accepted.withLock { $0 } }

    fileprivate func answer(_ path: String) -> Answer {
        seen.withLock { $0.append(path) }
        return answers.withLock { $0[path] } ?? .status(404, "")
    }
}

private final class Responder: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let engine: FakeEngine
    private var path = ""

    init(engine: FakeEngine) { self.engine = engine }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): path = head.uri
        case .body: break
        case .end: respond(context)
        }
    }

    private func respond(_ context: ChannelHandlerContext) {
        switch engine.answer(path) {
        case .silence: break
        case .hangUp: context.close(promise: nil)
        case .lastWords(let status, let text):
            answer(status, text, context)
            context.close(promise: nil)
        case .status(let status, let text): answer(status, text, context)
        }
    }

    private func answer(_ status: Int, _ text: String, _ context: ChannelHandlerContext) {
        let headers = HTTPHeaders([("content-length", String(text.utf8.count))])
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: text)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
}
