import NIOCore
import NIOHTTP1

/// One GET at a time on one connection: sends its head, gathers its answer within its limits, ends it exactly once.
final class ProbeHandler: ChannelDuplexHandler {
    struct Answer: Sendable {
        var status: Int
        var body: ByteBuffer
        /// The engine will take another request on this connection.
        var mayReuse: Bool
    }

    struct Request: Sendable {
        var head: HTTPRequestHead
        var limitBytes: Int
        var deadline: NIODeadline
        var answer: EventLoopPromise<Answer>
    }

    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundIn = Request
    typealias OutboundOut = HTTPClientRequestPart

    private var current: Request?
    private var timer: Scheduled<Void>?
    private var status = 0
    private var isKeptAlive = false
    private var body = ByteBuffer()

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let request = unwrapOutboundIn(data)
        guard current == nil, context.channel.isActive else {
            request.answer.fail(ProbeFailure.unreachable("connection is closed or busy"))
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        current = request
        body = ByteBuffer()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(deadline: request.deadline) {
            let (handler, context) = bound.value
            handler.end(.failure(.timedOut), context: context)
        }
        context.write(wrapOutboundOut(.head(request.head)), promise: nil)
        context.write(wrapOutboundOut(.end(nil)), promise: promise)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let request = current else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            status = Int(head.status.code)
            isKeptAlive = head.isKeepAlive
        case .body(var piece):
            guard body.readableBytes + piece.readableBytes <= request.limitBytes else {
                return end(.failure(.tooLarge(limit: request.limitBytes)), context: context)
            }
            body.writeBuffer(&piece)
        case .end:
            // An interim answer (100, 103) is not the answer.
            if (100..<200).contains(status) { return }
            end(.success(Answer(status: status, body: body, mayReuse: isKeptAlive)), context: context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(.failure(.unreachable("connection closed by the engine")), context: context)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let failure: ProbeFailure =
            error is HTTPParserError
            ? .malformed(String(describing: error)) : .unreachable(EngineProbe.reason(error))
        end(.failure(failure), context: context)
        context.close(promise: nil)
    }

    /// Answers the request under way, if there is one. Everything that ends a request comes through here.
    private func end(_ result: Result<Answer, ProbeFailure>, context: ChannelHandlerContext) {
        guard let request = current else { return }
        current = nil
        timer?.cancel()
        timer = nil
        body = ByteBuffer()
        request.answer.completeWith(result.mapError { $0 as any Error })
    }
}
