import FleetTracking
import FlowControl
import NIOCore
import NIOTLS
import SchedulerRuntime
import WireFormats

/// One connection from a client, on its event loop: heads, bodies, the answers of engines and of the control plane.
///
/// ```
/// head → deciding → body ⇄ budget → deciding     a request on an engine path, whose body comes first
///           ├→ exchange ┐                        an engine answers
///           ├→ control ─┤                        the control plane answers
///           └───────────┴→ head                  the answer has ended, the connection is kept
///                        → lingering → closed    the answer ends the connection
/// ```
/// from anywhere to `closed`, and from `body`, `budget` and `control` to `deciding` for a refusal. The next request is
/// parsed only when the answer before it has ended; what came of it until then is at most one read, after which
/// reading stops.
final class ClientConnection: ChannelDuplexHandler, Deadlined {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Phase {
        case head
        case body
        /// The body waits for room in the buffer budget.
        case budget
        /// The request in hand is being decided, and perhaps answered by us, within one call. Its head is in use: what
        /// a flush that fails reads from the socket meanwhile must not be parsed.
        case deciding
        case exchange
        case control
        /// No more will be written. What comes is read and dropped.
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
    /// Shared with the channel.
    let readHint = ReadHint()
    var exchange: Exchange?
    var control: ControlCall?
    var request = RequestFacts()
    /// A response head that goes out with the first bytes of its body.
    var pendingHead: ByteBuffer?
    var answerFraming = BodyFraming.none
    /// TLS was not agreed on yet: nothing of HTTP came or can be said.
    private var awaitsHandshake: Bool
    /// The connection ends with the answer in hand.
    var closesAfterAnswer = false
    /// The client's address, for `x-forwarded-for` and logs.
    private(set) var peer = ""
    private var isAdvancing = false
    private var headHasBegun = false
    /// The client has taken everything, and was told that no more will come.
    private var outputHasEnded = false
    /// When a client that takes nothing of the answer in hand is cut; only while it is so slow.
    private(set) var stallDue = Instant.distantFuture
    private var readIsPending = false
    private let slot = DeadlineSlot()
    /// Released when this connection closes; counts open connections of the process.
    let permit: ConnectionPermit

    /// `isSecured`: a TLS handler comes before this one. The handshake counts to the time of the first head.
    init(loop: LoopRelay, bridge: ControlBridge?, permit: ConnectionPermit, isSecured: Bool = false) {
        self.loop = loop
        self.bridge = bridge
        self.permit = permit
        awaitsHandshake = isSecured
        parser = RequestHeadParser(limits: loop.settings.http)
    }

    func setDeadline(_ deadline: Instant) { loop.wheel.set(slot, deadline) }

    // MARK: What the channel tells it

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        slot.target = self
        loop.add(self)
        peer = context.channel.remoteAddress?.ipAddress ?? ""
        if context.channel.isActive { awaitFirstHead() }
    }

    /// A connection that ends before it was active, because the listener closed meanwhile, is told of by this alone.
    func handlerRemoved(context: ChannelHandlerContext) {
        gone()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        // Accepted in the moment in which a drain began: it would hold the drain up until its head is overdue.
        if loop.isDraining { return closeNow() }
        if phase == .head { awaitFirstHead() }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if awaitsHandshake, case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent { awaitsHandshake = false }
        context.fireUserInboundEventTriggered(event)
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
        case .budget, .deciding, .closed: false
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
        case .budget, .deciding, .exchange: stash(buffer)
        case .lingering, .closed: break
        }
    }

    func stash(_ buffer: ByteBuffer) {
        if inbound.readableBytes == 0 { inbound = buffer } else { inbound.writeImmutableBuffer(buffer) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        let isWritable = context.channel.isWritable
        stallDue = isWritable ? .distantFuture : loop.now() + loop.settings.writeStall
        switch phase {
        case .exchange:
            if isWritable { exchange?.resume() } else { exchange?.pause() }
            setDeadline(stallDue)
        case .control:
            if isWritable { control?.becameWritable() }
            setDeadline(controlDeadline)
        case .head:
            awaitRequest()
            if isWritable {
                advance()
                readAgain()
            }
        case .lingering: if isWritable { awaitOutputEnd() }
        case .body, .budget, .deciding, .closed: break
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
            case .refused(let refusal): refuseHead(StatusTable.refusal(for: refusal))
            case .complete(let length):
                guard let head = inbound.readSlice(length: length) else { return }
                phase = .deciding
                headBytes = head
                handleHead()
            }
        }
    }

    /// A place of the reserve is for health checks, which ask at once.
    private func awaitFirstHead() {
        let limit = loop.settings.headTimeout
        setDeadline(loop.now() + (permit.isReserved ? min(ClientConnection.reservedHeadTime, limit) : limit))
    }

    /// The longest from such a connection's beginning, with its TLS handshake, to the end of its one head.
    private static let reservedHeadTime = Duration.seconds(2)

    /// A head has begun. Its time is counted from its first byte, however slowly the others come.
    private func awaitHead() {
        guard !headHasBegun else { return }
        headHasBegun = true
        if permit.isReserved { return }
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
        parser.reset()
        headHasBegun = false
        phase = .head
        awaitRequest()
        advance()
        readAgain()
    }

    /// The limit while no request is in hand: for the client to take its last answer, or to send a request.
    private func awaitRequest() {
        if !isWritable {
            setDeadline(stallDue)
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
            if !isWritable { return closeStalled() }
            if inbound.readableBytes == 0 { return closeNow() }
            refuseHead(StatusTable.headTimeout)
        case .body: refuse(StatusTable.bodyTimeout)
        case .budget: break
        case .control:
            if !isWritable { return closeStalled() }
            guard let control, !control.bodyEnded else { return closeNow() }
            control.fail(.bodyTimeout)
            abortControl(StatusTable.bodyTimeout)
        case .exchange: closeStalled()
        case .lingering: if outputHasEnded { closeNow() } else { closeStalled() }
        case .deciding, .closed: closeNow()
        }
    }

    /// The client takes nothing of what was written.
    private func closeStalled() {
        permit.noteStall()
        closeNow()
    }

    /// Says that no more will be written, then reads and drops until the client closes too: a client that is still
    /// sending would otherwise get a reset, and might never see the answer.
    func closeGracefully() {
        guard phase != .closed, phase != .lingering else { return }
        phase = .lingering
        inbound = ByteBuffer()
        headBytes = ByteBuffer()
        awaitOutputEnd()
        if let context {
            let ended = context.eventLoop.makePromise(of: Void.self)
            ended.futureResult.assumeIsolated().whenSuccess { [weak self] in self?.outputEnded() }
            context.close(mode: .output, promise: ended)
        }
        readAgain()
    }

    /// The last answer may still wait for the client: it has as long for it as for any other.
    private func awaitOutputEnd() {
        if !outputHasEnded { setDeadline(loop.now() + loop.settings.writeStall) }
    }

    private func outputEnded() {
        guard phase == .lingering else { return }
        outputHasEnded = true
        setDeadline(loop.now() + loop.settings.lingerTime)
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
        // Nothing of it can be written, so that its end would be waited for as long as for a client that takes nothing.
        if awaitsHandshake { return closeNow() }
        if phase == .head, inbound.readableBytes == 0 { closeGracefully() }
    }

    /// The connection is over. Whatever it waited for is told.
    private func gone() {
        guard phase != .closed else { return }
        let before = phase
        noteGathered()
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
        // In every other phase somebody else tells: the exchange, or who called for the answer that is being written.
        if before == .body || before == .budget || before == .control { tell(.clientGone) }
    }
}
