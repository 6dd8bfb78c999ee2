import FleetTracking
import NIOCore
import NIOTLS
import WireFormats

/// One connection to an engine, on the event loop of the work it serves.
///
/// ```
/// securing → idle → awaitingHead → body → idle (kept), or closed
/// ```
/// from anywhere to `closed`; `securing` with TLS only. It serves one `Exchange` at a time, and tells it everything by
/// plain calls on the loop. Before `idle` nothing of a request is sent, so that an engine that cannot be reached is
/// always told apart from one that died with a request in its hands.
final class EngineConnection: ChannelDuplexHandler, Deadlined {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        /// The TLS handshake is under way.
        case securing
        case idle
        case awaitingHead
        case body
        case closed
    }

    private(set) var phase: Phase
    /// True once it lay idle: the engine may have closed it unseen, which says nothing about the engine.
    private(set) var isReused = false
    let lane: EngineLane
    /// The loop holds this object while it is open; the cycle ends with it.
    let loop: LoopRelay
    private var context: ChannelHandlerContext?
    /// Waits for the end of the handshake.
    private var whenReady: ((Bool) -> Void)?
    private var exchange: Exchange?
    private var parser: ResponseHeadParser
    private var chunks: ChunkParser
    private var framing = BodyFraming.none
    private var remaining = 0
    /// Bytes that may still come of an answer that nobody wants.
    private var droppable = 0
    /// Head bytes that are not a whole head yet.
    private var gathered: ByteBuffer?
    private var sentAt = Instant.zero
    /// False while a part of the request waits for the engine to take it.
    private var requestIsSent = true
    /// Something came since the request was sent.
    private var hasHeard = false
    private var isPaused = false
    private var readIsPending = false
    private let slot = DeadlineSlot()

    init(lane: EngineLane, loop: LoopRelay) {
        self.lane = lane
        self.loop = loop
        phase = lane.tls == nil ? .idle : .securing
        parser = ResponseHeadParser(limits: loop.settings.engineHTTP)
        chunks = ChunkParser(limits: loop.settings.engineHTTP)
    }

    // MARK: What the loop and an exchange do with it

    /// Calls back once: true when a request may be sent, false when the connection ended before, or at the deadline.
    func awaitReady(by deadline: Instant, _ done: @escaping (Bool) -> Void) {
        guard phase == .securing else { return done(phase == .idle) }
        whenReady = done
        setDeadline(deadline)
    }

    /// Sends a request and serves this exchange until its answer ends. `head` and `body` go out in one write call
    /// to the kernel.
    func send(head: ByteBuffer, body: ByteBuffer?, for exchange: Exchange) {
        guard let context, phase == .idle else {
            exchange.connectionLost(self, .noConnection)
            return
        }
        self.exchange = exchange
        phase = .awaitingHead
        parser.reset()
        hasHeard = false
        sentAt = loop.now()
        setDeadline(sentAt, in: loop.firstByteNanoseconds)
        // A single small buffer is taken whole by the kernel, or the connection is dead.
        requestIsSent = body == nil && head.readableBytes <= EngineConnection.surelyTaken
        var written: EventLoopPromise<Void>?
        if !requestIsSent {
            let promise = context.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenSuccess { [self] in requestIsSent = true }
            written = promise
        }
        context.write(wrapOutboundOut(head), promise: body == nil ? written : nil)
        if let body { context.write(wrapOutboundOut(body), promise: written) }
        context.flush()
    }

    /// The least that a kernel's send buffer has room for when it is empty (Linux: the first `tcp_wmem`, 16 KB at its
    /// default, less what it keeps for its own book-keeping).
    private static let surelyTaken = 8192

    /// Stops reading from the engine until `resume`: the client does not take what it has.
    func pause() { isPaused = true }

    func resume() {
        guard isPaused else { return }
        isPaused = false
        // The silence was ours.
        if phase == .body { moveDeadline(loop.now()) }
        if readIsPending {
            readIsPending = false
            context?.read()
        }
    }

    /// The exchange goes elsewhere. A short rest of the answer is read and dropped, so that the connection can be kept.
    func abandonAnswer() {
        exchange = nil
        resume()
        droppable = loop.settings.droppedAnswerBytes
        switch framing {
        case .untilClose: close()
        case .length(let length) where length > droppable: close()
        default: setDeadline(loop.after(loop.idleEngineNanoseconds))
        }
    }

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
    func wasKept() {
        isReused = true
        setDeadline(loop.after(loop.idleEngineNanoseconds))
    }

    // MARK: Time

    private func setDeadline(_ deadline: Instant) { loop.wheel.set(slot, deadline) }

    @inline(__always)
    private func setDeadline(_ now: Instant, in nanoseconds: Int64) {
        loop.wheel.set(slot, Instant(nanoseconds: now.nanoseconds &+ nanoseconds))
    }

    /// The limit of a silence inside the body. Engines send a stream's head when they admit the request; until its
    /// first output it still waits for the engine's queue and prefill.
    private func moveDeadline(_ now: Instant) {
        guard let exchange else { return }
        setDeadline(now, in: exchange.awaitsOutput ? loop.firstByteNanoseconds : loop.streamIdleNanoseconds)
    }

    func deadlinePassed(now: Instant) {
        let exchange = exchange
        switch phase {
        case .securing:
            close()
            tellReady(false)
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

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if phase == .securing, case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent {
            phase = .idle
            setDeadline(.distantFuture)
            tellReady(true)
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func tellReady(_ isReady: Bool) {
        let done = whenReady
        whenReady = nil
        done?(isReady)
    }

    /// The engine's orderly close. A reset, and with TLS an end that was not announced, come as an error before.
    func channelInactive(context: ChannelHandlerContext) { ended(isOrderly: true) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        ended(isOrderly: false)
        context.close(promise: nil)
    }

    /// The connection is over, by the engine's will.
    private func ended(isOrderly: Bool) {
        guard phase != .closed else { return }
        let before = phase
        phase = .closed
        slot.target = nil
        lane.forget(self)
        if before == .securing { return tellReady(false) }
        guard let exchange else { return }
        self.exchange = nil
        if before == .awaitingHead {
            exchange.connectionLost(self, lossBeforeHead())
        } else if framing == .untilClose, isOrderly, requestIsSent {
            exchange.answerEnded()
        } else {
            // An engine that closes before it took the whole request resets the connection behind its answer.
            exchange.answerCut()
        }
    }

    private func lossBeforeHead() -> ConnectionLoss {
        // What is not whole counts as the answer proper, not as an interim one.
        if gathered != nil { return .insideHead }
        if hasHeard { return .reset }
        return isReused && loop.now() - sentAt <= loop.settings.staleEngineTime ? .staleReuse : .reset
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        switch phase {
        case .securing, .idle, .closed:
            // Nothing was asked for: an engine that talks out of turn is not to be trusted with the next request.
            let wasSecuring = phase == .securing
            close()
            if wasSecuring { tellReady(false) }
        case .awaitingHead: takeHead(&buffer)
        case .body: takeBody(buffer)
        }
    }

    // MARK: The answer

    private func takeHead(_ buffer: inout ByteBuffer) {
        hasHeard = true
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
            // Bytes behind an answer without a body belong to nothing: the answer stands, the connection does not.
            finishAnswer(self.exchange, mayKeep: rest.readableBytes == 0)
        } else if rest.readableBytes > 0 {
            takeBody(rest)
        } else {
            let now = loop.now()
            moveDeadline(now)
            self.exchange?.readEnded(now)
        }
    }

    private func takeBody(_ buffer: ByteBuffer) {
        // An abandoned answer is read to its end so that the connection can be kept, within bounds of bytes and time.
        let exchange = exchange
        if exchange == nil {
            droppable -= buffer.readableBytes
            if droppable < 0 { return close() }
        }
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
        guard phase == .body, let exchange else { return }
        let now = loop.now()
        moveDeadline(now)
        exchange.readEnded(now)
    }

    /// True: the body ended. Nil: not valid, or bytes behind the end.
    private func takeChunks(_ buffer: ByteBuffer, _ exchange: Exchange?) -> Bool? {
        var isOver: Bool? = false
        // A copy for the time of the loop: each access to a property of an object is checked.
        var chunks = chunks
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
        self.chunks = chunks
        if isOver != nil { exchange?.take(buffer) }
        return isOver
    }

    /// The answer is whole: the connection is kept before the exchange is told, so that the next work can have it.
    private func finishAnswer(_ exchange: Exchange?, mayKeep: Bool = true) {
        guard phase == .body else { return }
        self.exchange = nil
        resume()
        phase = .idle
        if !mayKeep || !requestIsSent || !parser.head.keepsAlive || !loop.keep(self) { close() }
        exchange?.answerEnded()
    }

    private func failProtocol() {
        let exchange = exchange
        let before = phase
        close()
        exchange?.answerInvalid(beforeHead: before == .awaitingHead)
    }
}
