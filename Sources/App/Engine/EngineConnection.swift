import NIOCore
import NIOHTTP1

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One client connection: requests one after another, each answered before the next is begun.
///
/// Answers are written as bytes, not through an encoder, so that a step costs one buffer and one write per connection.
/// When the connection goes away, the request in progress leaves the engine.
final class EngineConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = ByteBuffer

    private let room: EngineRoom
    private var context: ChannelHandlerContext?
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()
    private var isBodyTooLarge = false
    /// Requests that came while another was in progress.
    private var waiting: [(head: HTTPRequestHead, body: ByteBuffer)] = []
    private var current: HTTPRequestHead?
    private var call: EngineCall?
    private var events = EventWriter()
    private var isClosing = false

    init(room: EngineRoom) { self.room = room }

    // MARK: - Inbound

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        room.openConnections += 1
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        room.openConnections -= 1
    }

    func channelInactive(context: ChannelHandlerContext) {
        isClosing = true
        if let call { room.cut(call) }
        call = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosing else { return }
        switch unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body = ByteBuffer()
            isBodyTooLarge = false
            if head.headers["expect"].contains(where: { $0.lowercased() == "100-continue" }), current == nil {
                write(ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n"))
                context.flush()
            }
        case .body(var part):
            if body.readableBytes + part.readableBytes > room.options.limits.bodyBytes {
                isBodyTooLarge = true
                body.clear()
            } else if !isBodyTooLarge {
                body.writeBuffer(&part)
            }
        case .end:
            guard let head else { return }
            self.head = nil
            if waiting.count >= room.options.limits.pipelinedRequests { return close() }
            waiting.append((head, body))
            if isBodyTooLarge { waiting[waiting.count - 1].head.uri = EngineConnection.tooLargeMark }
            body = ByteBuffer()
            serveNext()
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isClosing, error is HTTPParserError else { return context.close(promise: nil) }
        if current == nil {
            current = HTTPRequestHead(version: .http1_1, method: .GET, uri: "/", headers: ["connection": "close"])
            refuse(.badRequest("Invalid HTTP request received."))
        } else {
            close()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if let call, context.channel.isWritable { flush(call) }
        context.fireChannelWritabilityChanged()
    }

    /// Stands for the path of a request whose body was over the limit and was dropped.
    private static let tooLargeMark = "too-large"

    private func serveNext() {
        while current == nil, !isClosing, !waiting.isEmpty {
            let (head, body) = waiting.removeFirst()
            current = head
            if head.uri == EngineConnection.tooLargeMark {
                refuse(.tooLarge(limit: room.options.limits.bodyBytes))
            } else {
                room.serve(head, body: body, on: self)
            }
        }
    }

    // MARK: - Whole answers

    /// Answers the current request.
    func respond(status: Int = 200, type: String = "application/json", body: ByteBuffer) {
        guard let context, let current else { return }
        var buffer = head(status: status, type: type, length: body.readableBytes)
        if current.method != .HEAD { buffer.writeImmutableBuffer(body) }
        write(buffer)
        context.flush()
        completeCurrent()
    }

    func refuse(_ refusal: EngineRefusal, isAnthropic: Bool = false) {
        respond(status: refusal.status, body: refusal.body(isAnthropic: isAnthropic))
    }

    private func head(status: Int, type: String, length: Int?) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeString("HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n")
        buffer.writeString("server: neap-engine\r\ncontent-type: \(type)\r\n")
        if let length {
            buffer.writeString("content-length: \(length)\r\n")
        } else {
            buffer.writeStaticString("transfer-encoding: chunked\r\n")
        }
        if let current {
            if let id = current.headers.first(name: "x-request-id") { buffer.writeString("x-request-id: \(id)\r\n") }
            if !current.isKeepAlive {
                buffer.writeStaticString("connection: close\r\n")
            } else if current.version == .http1_0 {
                buffer.writeStaticString("connection: keep-alive\r\n")
            }
        }
        buffer.writeStaticString("\r\n")
        return buffer
    }

    /// The current request is answered: on to the next one, or the end.
    private func completeCurrent() {
        let keepsAlive = current?.isKeepAlive ?? false
        current = nil
        call = nil
        if keepsAlive { serveNext() } else { close() }
    }

    // MARK: - Generated answers

    /// The request id that the client sent, for ids of answers.
    var requestID: String? { current?.headers.first(name: "x-request-id") }

    /// The current request is worked on by the engine from now on.
    func begin(_ call: EngineCall) {
        self.call = call
        call.connection = self
        if call.sendsHeadAtOnce {
            sendStreamHead(call)
            context?.flush()
        }
    }

    private func sendStreamHead(_ call: EngineCall) {
        call.hasHead = true
        write(head(status: 200, type: "text/event-stream; charset=utf-8", length: nil))
    }

    /// A branch got a token: its events are gathered, and what the fault plan says about this token happens.
    func append(_ call: EngineCall, branch: Int) {
        guard !isClosing, !call.isOver, !call.isStalled else { return }
        if let fault = call.fault, strikes(fault, call) { return }
        guard call.request.streams else { return }
        if call.generated == 1 { call.format.begin(call, to: &events) }
        call.format.token(call, branch: call.branches[branch], to: &events)
    }

    /// Returns true when the token is not to be sent.
    private func strikes(_ fault: FaultPlan, _ call: EngineCall) -> Bool {
        if fault.resetBeforeFirstByte || call.generated > fault.resetAfterTokens ?? .max {
            room.cut(call)
            reset()
            return true
        }
        if call.generated > fault.stallAfterTokens ?? .max {
            call.isStalled = true
            return true
        }
        if call.request.streams, call.generated > fault.errorAfterTokens ?? .max {
            room.cut(call)
            endWithError(call, .overloaded("The engine failed while it was answering."))
            return true
        }
        return false
    }

    /// Ends a stream with an error event after its 200.
    func endWithError(_ call: EngineCall, _ refusal: EngineRefusal) {
        if !call.hasHead { sendStreamHead(call) }
        events.data { refusal.write(to: &$0) }
        if !call.format.isAnthropic { events.data { $0.writeStaticString("[DONE]") } }
        events.end()
        writeEvents()
        completeCurrent()
    }

    /// Sends what the step gathered, unless the client reads too slowly: then it waits, up to a limit.
    func flush(_ call: EngineCall) {
        guard call.request.streams, !isClosing, !call.isStalled, let context else { return }
        guard context.channel.isWritable else {
            if events.gathered.readableBytes > room.options.limits.unreadBytes { close() }
            return
        }
        if events.gathered.readableBytes > 0 { writeEvents() }
    }

    private func writeEvents() {
        write(events.gathered)
        context?.flush()
        events.clear()
    }

    /// The call's last branch ended.
    func finish(_ call: EngineCall) {
        guard !isClosing, self.call === call else { return }
        guard call.request.streams else { return respond(body: call.format.whole(call)) }
        call.format.end(call, to: &events)
        events.end()
        writeEvents()
        completeCurrent()
    }

    /// The engine could not take a call after all.
    func fail(_ call: EngineCall, with refusal: EngineRefusal) {
        room.cut(call)
        if call.hasHead { endWithError(call, refusal) } else { refuse(refusal, isAnthropic: call.format.isAnthropic) }
    }

    // MARK: - Ends

    private func write(_ buffer: ByteBuffer) { context?.write(wrapOutboundOut(buffer), promise: nil) }

    func close() {
        isClosing = true
        context?.close(promise: nil)
    }

    /// Ends the connection with a reset instead of an orderly close: no linger, so that the kernel drops what is unsent.
    func reset() {
        (context?.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).whenComplete {
            _ in
        }
        close()
    }
}
