import FleetTracking
import FlowControl
import NIOCore
import SchedulerRuntime
import WireFormats

/// One connection from a client, on its event loop: heads, bodies, the answers of engines and of the control plane.
///
/// ```
/// head → body ⇄ budget        a request on an engine path
///   ↑      └→ exchange ┐
///   ├──────────────────┘      the answer ended, the connection is kept
///   ├→ control ────────┘      a request on a control path
///   └→ lingering → closed     an answer that ends the connection was sent
/// ```
/// from anywhere to `closed`. The next request is parsed only when the answer before it has ended; what came of it
/// until then is at most one read, after which reading stops.
final class ClientConnection: ChannelDuplexHandler, Deadlined {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        case head
        case body
        /// The body waits for room in the buffer budget.
        case budget
        case exchange
        case control
        case lingering
        case closed
    }

    /// The loop holds this object while it is open; the cycle ends with it.
    let loop: LoopRelay
    let bridge: ControlBridge?
    var phase = Phase.head
    var context: ChannelHandlerContext?
    /// Bytes that came and are not used yet: an unfinished head, or the start of a pipelined request.
    var inbound = ByteBuffer()
    var parser: RequestHeadParser
    /// The head of the request in hand; the parser's offsets point into it.
    var headBytes = ByteBuffer()
    var gathering = BodyGathering()
    var exchange: Exchange?
    var control: ControlCall?
    var request = RequestFacts()
    /// A response head that goes out with the first bytes of its body.
    var pendingHead: ByteBuffer?
    var answerFraming = BodyFraming.none
    /// The connection ends with the answer in hand.
    var closesAfterAnswer = false
    /// The client's address, for `x-forwarded-for` and logs.
    private(set) var peer = ""
    private var isAdvancing = false
    private var headHasBegun = false
    private var readIsPending = false
    private let slot = DeadlineSlot()
    /// Released when this connection closes; counts open connections of the process.
    private let permit: ConnectionPermit

    init(loop: LoopRelay, bridge: ControlBridge?, permit: ConnectionPermit) {
        self.loop = loop
        self.bridge = bridge
        self.permit = permit
        parser = RequestHeadParser(limits: loop.settings.http)
    }

    func setDeadline(_ deadline: Instant) { loop.wheel.set(slot, deadline) }

    // MARK: What the channel tells it

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        slot.target = self
        loop.add(self)
        peer = context.channel.remoteAddress?.ipAddress ?? ""
        if context.channel.isActive { setDeadline(loop.now() + loop.settings.headTimeout) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        setDeadline(loop.now() + loop.settings.headTimeout)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) { gone() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        gone()
        context.close(promise: nil)
    }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { readIsPending = true }
    }

    /// While an answer is under way one read is taken ahead, mainly to see the client go away.
    private var mayRead: Bool {
        switch phase {
        case .head: isWritable
        case .body, .lingering: true
        case .exchange: inbound.readableBytes == 0
        case .control: control?.wantsBody ?? false || (control?.bodyEnded ?? true && inbound.readableBytes == 0)
        case .budget, .closed: false
        }
    }

    /// Asks for a read that was held back, if there may be one now.
    func readAgain() {
        guard readIsPending, mayRead else { return }
        readIsPending = false
        context?.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        switch phase {
        case .head:
            stash(buffer)
            advance()
        case .body: gather(buffer)
        case .control:
            if control?.bodyEnded ?? true { stash(buffer) } else { takeControlBody(buffer) }
        case .budget, .exchange: stash(buffer)
        case .lingering, .closed: break
        }
    }

    func stash(_ buffer: ByteBuffer) {
        if inbound.readableBytes == 0 { inbound = buffer } else { inbound.writeImmutableBuffer(buffer) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        switch phase {
        case .exchange:
            if isWritable { exchange?.resume() } else { exchange?.pause() }
            setDeadline(isWritable ? .distantFuture : loop.now() + loop.settings.writeStall)
        case .control:
            if isWritable { control?.becameWritable() }
            setDeadline(isWritable ? controlDeadline : loop.now() + loop.settings.writeStall)
        case .head:
            awaitRequest()
            if isWritable {
                advance()
                readAgain()
            }
        default: break
        }
        context.fireChannelWritabilityChanged()
    }

    // MARK: Requests, one after the other

    /// Parses and handles what has come, as long as there are whole requests and nothing to wait for. A client that
    /// does not read its answers gets no further ones: they would pile up in memory.
    func advance() {
        // An answer that is given at once comes back here from inside the loop below, which then goes on.
        guard !isAdvancing else { return }
        isAdvancing = true
        defer { isAdvancing = false }
        while phase == .head, inbound.readableBytes > 0, isWritable {
            switch inbound.withUnsafeReadableBytes({ parser.parse($0) }) {
            case .incomplete: return awaitHead()
            case .refused(let refusal):
                inbound = ByteBuffer()
                request = RequestFacts(arrivedAt: loop.now())
                refuse(StatusTable.refusal(for: refusal))
            case .complete(let length):
                guard let head = inbound.readSlice(length: length) else { return }
                headBytes = head
                handleHead()
            }
        }
    }

    /// A head has begun. Its time is counted from its first byte, however slowly the others come.
    private func awaitHead() {
        guard !headHasBegun else { return }
        headHasBegun = true
        setDeadline(loop.now() + loop.settings.headTimeout)
    }

    /// The answer in hand has ended.
    func answerIsOver() {
        // The write that ended the answer may have found the client gone.
        guard phase != .closed else { return }
        exchange = nil
        control = nil
        pendingHead = nil
        headBytes = ByteBuffer()
        if closesAfterAnswer || loop.isDraining { return closeGracefully() }
        phase = .head
        parser.reset()
        headHasBegun = false
        awaitRequest()
        advance()
        readAgain()
    }

    /// The limit while no request is in hand: for the client to take its last answer, or to send a request.
    private func awaitRequest() {
        if !isWritable {
            setDeadline(loop.now() + loop.settings.writeStall)
        } else if headHasBegun {
            setDeadline(loop.now() + loop.settings.headTimeout)
        } else {
            setDeadline(loop.after(loop.keepAliveNanoseconds))
        }
    }

    // MARK: Ends

    func deadlinePassed(now: Instant) {
        switch phase {
        case .head:
            if inbound.readableBytes == 0 || !isWritable { return closeNow() }
            request = RequestFacts(arrivedAt: now)
            inbound = ByteBuffer()
            refuse(StatusTable.headTimeout)
        case .body: refuse(StatusTable.bodyTimeout)
        case .budget: break
        case .control:
            guard let control, !control.bodyEnded, isWritable else { return closeNow() }
            control.fail(.bodyTimeout)
            abortControl(StatusTable.bodyTimeout)
        case .exchange, .lingering, .closed: closeNow()
        }
    }

    /// Says that no more will be written, then reads and drops until the client closes too: a client that is still
    /// sending would otherwise get a reset, and might never see the answer.
    func closeGracefully() {
        guard phase != .closed, phase != .lingering else { return }
        phase = .lingering
        inbound = ByteBuffer()
        headBytes = ByteBuffer()
        setDeadline(loop.now() + loop.settings.lingerTime)
        context?.close(mode: .output, promise: nil)
        readAgain()
    }

    /// Closes at once; what was not written is lost, on purpose where an answer must not look whole.
    func closeNow() {
        let context = context
        gone()
        context?.close(promise: nil)
    }

    /// No further request: an idle connection is closed, a running one after its answer.
    func drain() {
        closesAfterAnswer = true
        if phase == .head, inbound.readableBytes == 0 { closeGracefully() }
    }

    /// The connection is over. Whatever it waited for is told.
    private func gone() {
        guard phase != .closed else { return }
        let before = phase
        phase = .closed
        slot.target = nil
        loop.remove(self)
        permit.release()
        releaseGathered()
        let exchange = exchange
        let control = control
        self.exchange = nil
        self.control = nil
        inbound = ByteBuffer()
        exchange?.clientGone()
        control?.fail(ControlFailure.clientGone)
        if before == .body || before == .budget { tell(.clientGone, status: 0) }
        if before == .control { tell(.clientGone, status: request.status) }
    }
}
