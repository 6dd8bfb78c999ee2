import FleetTracking
import NIOCore
import WireFormats

/// One connection to an engine, on the event loop of the work it serves.
///
/// ```
/// idle → awaitingHead → body → idle (kept), or closed
/// ```
/// from anywhere to `closed`. It serves one `Exchange` at a time, and tells it everything by plain calls on the loop.
final class EngineConnection: ChannelDuplexHandler, Deadlined {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        case idle
        case awaitingHead
        case body
        case closed
    }

    private(set) var phase = Phase.idle
    /// True once an earlier answer came over this connection: its silent death says nothing about the engine.
    private(set) var isReused = false
    let lane: EngineLane
    /// The loop holds this object while it is open; the cycle ends with it.
    let loop: LoopRelay
    private var context: ChannelHandlerContext?
    private var exchange: Exchange?
    private var parser: ResponseHeadParser
    private var chunks: ChunkParser
    private var framing = BodyFraming.none
    private var remaining = 0
    /// Head bytes that are not a whole head yet.
    private var gathered: ByteBuffer?
    private var isPaused = false
    private var readIsPending = false
    private let slot = DeadlineSlot()

    init(lane: EngineLane, loop: LoopRelay) {
        self.lane = lane
        self.loop = loop
        parser = ResponseHeadParser(limits: loop.settings.engineHTTP)
        chunks = ChunkParser(limits: loop.settings.engineHTTP)
    }

    // MARK: What an exchange does with it

    /// Sends a request and serves this exchange until its answer ends. `head` and `body` go out in one write call
    /// to the kernel.
    func send(head: ByteBuffer, body: ByteBuffer?, for exchange: Exchange) {
        guard let context, phase == .idle else {
            exchange.connectionLost(self, .reset)
            return
        }
        self.exchange = exchange
        phase = .awaitingHead
        parser.reset()
        setDeadline(loop.after(loop.firstByteNanoseconds))
        context.write(wrapOutboundOut(head), promise: nil)
        if let body { context.write(wrapOutboundOut(body), promise: nil) }
        context.flush()
    }

    /// Stops reading from the engine until `resume`: the client does not take what it has.
    func pause() { isPaused = true }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        if readIsPending {
            readIsPending = false
            context?.read()
        }
    }

    /// The exchange goes elsewhere. The rest of the answer is read and dropped, so that the connection can be kept.
    func abandonAnswer() { exchange = nil }

    /// Closes at once. The exchange is not told: it asked.
    func close() {
        exchange = nil
        guard phase != .closed else { return }
        phase = .closed
        slot.target = nil
        lane.forget(self)
        context?.close(promise: nil)
    }

    /// It is in its lane's list of idle connections now.
    func wasKept() { setDeadline(loop.after(loop.idleEngineNanoseconds)) }

    private func setDeadline(_ deadline: Instant) { loop.wheel.set(slot, deadline) }

    func deadlinePassed(now: Instant) {
        let exchange = exchange
        switch phase {
        case .idle: close()
        case .awaitingHead:
            close()
            exchange?.firstByteTimedOut(self)
        case .body:
            // A client that does not read keeps the engine silent: its own write limit watches that.
            if isPaused {
                setDeadline(now + loop.settings.streamIdle)
            } else {
                close()
                exchange?.answerStalled()
            }
        case .closed: break
        }
    }

    // MARK: What the channel tells it

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        slot.target = self
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func read(context: ChannelHandlerContext) {
        if isPaused { readIsPending = true } else { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) { ended(.reset) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A reset, or TLS that could not be agreed on: then nothing of the request was sent.
        ended(lane.tls != nil && !isReused ? .noConnection : .reset)
        context.close(promise: nil)
    }

    /// The connection is over, by the engine's will.
    private func ended(_ loss: ConnectionLoss) {
        guard phase != .closed else { return }
        let before = phase
        phase = .closed
        slot.target = nil
        lane.forget(self)
        guard let exchange else { return }
        self.exchange = nil
        switch before {
        case .awaitingHead:
            exchange.connectionLost(self, gathered != nil ? .insideHead : isReused ? .staleReuse : loss)
        case .body:
            if framing == .untilClose {
                exchange.answerEnded()
            } else {
                exchange.answerCut()
            }
        case .idle, .closed: break
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        switch phase {
        case .idle, .closed:
            // Nothing was asked for: an engine that talks out of turn is not to be trusted with the next request.
            close()
        case .awaitingHead: takeHead(&buffer)
        case .body: takeBody(buffer)
        }
    }

    private func takeHead(_ buffer: inout ByteBuffer) {
        if var gathered {
            self.gathered = nil
            gathered.writeImmutableBuffer(buffer)
            buffer = gathered
        }
        while true {
            switch buffer.withUnsafeReadableBytes({ parser.parse($0) }) {
            case .incomplete:
                gathered = buffer
                return
            case .refused: return failProtocol()
            case .complete(let length):
                guard let head = buffer.readSlice(length: length) else { return failProtocol() }
                if parser.head.isInformational {
                    // 100, 102, 103: nothing here waits for them. 101 was never asked for.
                    if parser.head.status == 101 { return failProtocol() }
                    parser.reset()
                    if buffer.readableBytes == 0 { return }
                    continue
                }
                return takeAnswer(head, rest: buffer)
            }
        }
    }

    private func takeAnswer(_ head: ByteBuffer, rest: ByteBuffer) {
        guard let exchange else { return }
        framing = parser.head.framing
        switch framing {
        case .length(let length): remaining = length
        case .chunked: chunks.reset()
        case .none, .untilClose: break
        }
        phase = .body
        exchange.answerBegan(EngineHead(head: parser.head, bytes: head), from: self)
        // The exchange may have closed this connection, because it goes elsewhere.
        guard phase == .body else { return }
        if framing == .none {
            finishAnswer(self.exchange)
        } else if rest.readableBytes > 0 {
            takeBody(rest)
        } else {
            setDeadline(loop.after(loop.streamIdleNanoseconds))
            self.exchange?.readEnded()
        }
    }

    /// `exchange` is nil when the answer was abandoned: it is read to its end so that the connection can be kept.
    private func takeBody(_ buffer: ByteBuffer) {
        let exchange = exchange
        switch framing {
        case .length:
            if buffer.readableBytes > remaining { return failProtocol() }
            remaining &-= buffer.readableBytes
            buffer.withUnsafeReadableBytes { exchange?.observe($0) }
            exchange?.take(buffer)
            if remaining == 0 { return finishAnswer(exchange) }
        case .untilClose:
            buffer.withUnsafeReadableBytes { exchange?.observe($0) }
            exchange?.take(buffer)
        case .chunked:
            guard let isOver = takeChunks(buffer, exchange) else { return failProtocol() }
            if isOver { return finishAnswer(exchange) }
        case .none: return failProtocol()
        }
        guard phase == .body else { return }
        setDeadline(loop.after(exchange == nil ? loop.idleEngineNanoseconds : loop.streamIdleNanoseconds))
        exchange?.readEnded()
    }

    /// True: the body ended. Nil: not valid, or bytes behind the end.
    private func takeChunks(_ buffer: ByteBuffer, _ exchange: Exchange?) -> Bool? {
        var isOver: Bool? = false
        buffer.withUnsafeReadableBytes { bytes in
            var position = 0
            scan: while true {
                switch chunks.next(bytes, at: &position) {
                case .data(let range): exchange?.observe(UnsafeRawBufferPointer(rebasing: bytes[range]))
                case .needMore: break scan
                case .end(let end):
                    isOver = end == bytes.count ? true : nil
                    break scan
                case .refused:
                    isOver = nil
                    break scan
                }
            }
        }
        if isOver != nil { exchange?.take(buffer) }
        return isOver
    }

    /// The answer is whole: the connection is kept before the exchange is told, so that the next work can have it.
    private func finishAnswer(_ exchange: Exchange?) {
        guard phase == .body else { return }
        self.exchange = nil
        resume()
        phase = .idle
        isReused = true
        if !parser.head.keepsAlive || !loop.keep(self) { close() }
        exchange?.answerEnded()
    }

    private func failProtocol() {
        let exchange = exchange
        let before = phase
        close()
        exchange?.answerInvalid(beforeHead: before == .awaitingHead)
    }
}

/// How a connection ended before a whole response head came over it.
enum ConnectionLoss {
    /// It was never made.
    case noConnection
    /// Closed or reset before any response byte.
    case reset
    /// The same on a connection that had served before: most likely the engine's keep-alive limit.
    case staleReuse
    /// In the middle of the head.
    case insideHead
}
