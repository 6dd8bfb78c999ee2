import FleetTracking
import FlowControl
import NIOCore
import SchedulerRuntime
import Scheduling
import WireFormats

/// One piece of work between its arrival at the scheduler and its end: attempts, the first-event hold, the answer.
///
/// ```
/// queued → dialing → sent → holding → relaying → ended
///    ↑         └───────┴───────┘ failed: the scheduler is asked
/// ```
/// The exchange finalises its work: exactly one of `finished` and `cancelled` is submitted, or none when the scheduler
/// ended it with a `refuse`. One record follows.
final class Exchange {
    enum Phase {
        case queued
        case dialing
        case sent
        /// A head came, the first event has not: nothing was told to the client yet.
        case holding
        case relaying
        case ended
    }

    let work: WorkID
    /// The loop holds this object while it is open; the cycle ends with it.
    let loop: LoopRelay
    let owner: any ExchangeOwner
    let mayRetryAfterSend: Bool
    /// The owner's, asked once.
    private let wantsPayload: Bool
    var record: RequestRecord
    private(set) var phase = Phase.queued
    /// Kept until an answer begins, for another attempt.
    private var body: ByteBuffer
    private var reservedBytes: Int
    private var connection: EngineConnection?
    private var lane: EngineLane?
    /// Counts attempts to send, so that a dial that ends late is not taken for the one that is awaited.
    private var sendings = 0
    private var retriedStale = false
    private var held: HeldAnswer?
    private var answer = AnswerWatch()
    private var framing = BodyFraming.none
    private var startIsTold = false
    /// The loop's list of exchanges with untold output holds this one.
    var isOnProgressList = false
    private var toldTokens = 0
    /// Output that was seen, and when the last of it came; nil during a pause of ours, and from it to the next output.
    private var seenTokens = 0
    private var outputAt: Instant?
    /// From `pause` to `resume`.
    private var isPaused = false
    /// There was a pause since the last output was told: the time from there says nothing about the engine.
    private var wasPaused = false

    init(_ order: consuming ExchangeOrder, owner: any ExchangeOwner, loop: LoopRelay) {
        work = order.work
        body = order.body
        reservedBytes = order.reservedBytes
        mayRetryAfterSend = order.mayRetryAfterSend
        record = order.record
        self.owner = owner
        self.loop = loop
        wantsPayload = owner.wantsPayload
    }

    // MARK: What the scheduler decided

    func forward(to endpoint: EndpointID, attempt: Int) {
        guard phase == .queued else { return }
        retriedStale = false
        if record.forwardedAt == nil {
            record.forwardedAt = loop.now()
            record.endpoint = endpoint
            owner.granted(self)
        }
        record.endpoint = endpoint
        record.attempts = attempt
        guard let lane = loop.lane(endpoint) else { return fail(.connect) }
        send(on: lane, reuse: mayRetryAfterSend)
    }

    func refuse(_ outcome: Outcome, retryAfter: Duration?) {
        guard phase == .queued else { return }
        end()
        record.note(owner.refused(outcome, retryAfter: retryAfter))
        loop.hand(record, outcome)
    }

    /// The scheduler or a caller withdraws the work, wherever it is.
    func withdraw() {
        let wasRelaying = phase == .relaying
        guard stop() else { return }
        if wasRelaying {
            owner.answerBroken(.withdrawn)
        } else {
            record.note(owner.refused(.withdrawn, retryAfter: nil))
        }
        loop.hand(record, .withdrawn)
    }

    /// The client went away: the engine's connection is closed at once, which is how engines abort.
    func clientGone() {
        guard stop() else { return }
        loop.hand(record, .clientGone)
    }

    private func stop() -> Bool {
        guard phase != .ended else { return false }
        let connection = connection
        end()
        connection?.close()
        loop.host.submit(.cancelled(work))
        return true
    }

    // MARK: Attempts

    private func send(on lane: EngineLane, reuse: Bool) {
        self.lane = lane
        sendings += 1
        if reuse, let idle = lane.takeIdle() { return send(over: idle) }
        phase = .dialing
        let sending = sendings
        loop.dial(lane) { [self] connection in
            // Meanwhile the client may have gone: the connection then serves another request.
            guard phase == .dialing, sendings == sending else {
                if let connection, !loop.keep(connection) { connection.close() }
                return
            }
            guard let connection else { return fail(.connect) }
            send(over: connection)
        }
    }

    private func send(over connection: EngineConnection) {
        phase = .sent
        self.connection = connection
        let length = body.readableBytes
        // A small body is copied behind its head: one write of one buffer is cheaper than a gathered one.
        let joins = length <= 8192
        writeHead(length, for: connection.lane, into: &loop.text)
        var head = loop.allocator.buffer(capacity: loop.text.count + (joins ? length : 0))
        head.writeText(loop.text)
        if joins { head.writeImmutableBuffer(body) }
        connection.send(head: head, body: joins ? nil : body, for: self)
    }

    private func writeHead(_ length: Int, for lane: EngineLane, into text: inout ByteText) {
        text.removeAll()
        owner.writeHead(into: &text, for: lane)
        text.append("Content-Length: ")
        text.append(decimal: length)
        text.append("\r\n\r\n")
    }

    func connectionLost(_ connection: EngineConnection, _ loss: ConnectionLoss) {
        guard phase == .sent, self.connection === connection else { return }
        self.connection = nil
        switch loss {
        case .noConnection: fail(.connect)
        case .reset: fail(.reset(bytesSent: true))
        case .insideHead: fail(.truncated)
        case .staleReuse:
            // The engine closed a kept connection while the request was on its way. Once for each endpoint that the
            // scheduler chose, and unseen by it.
            guard !retriedStale, mayRetryAfterSend, let lane else { return fail(.reset(bytesSent: true)) }
            retriedStale = true
            send(on: lane, reuse: false)
        }
    }

    func firstByteTimedOut(_ connection: EngineConnection) {
        guard phase == .sent, self.connection === connection else { return }
        self.connection = nil
        fail(.firstByteTimeout)
    }

    /// The scheduler answers with another `forward`, or a `refuse`.
    private func fail(_ failure: AttemptFailure) {
        phase = .queued
        connection = nil
        held = nil
        answer = AnswerWatch()
        startIsTold = false
        (toldTokens, seenTokens, outputAt) = (0, 0, nil)
        (record.firstByteAt, record.bytesOut) = (nil, 0)
        loop.host.submit(.failed(work, failure))
    }

    // MARK: The answer

    func answerBegan(_ head: EngineHead, from connection: EngineConnection) {
        guard phase == .sent else { return }
        let status = head.head.status
        if status == 503 || status == 429 || status == 529 {
            connection.abandonAnswer()
            return fail(.full(retryAfter: head.retryAfter))
        }
        framing = head.head.framing
        answer = AnswerWatch(head)
        if answer.isStream && connection.lane.mayFailInFirstEvent {
            phase = .holding
            held = HeldAnswer(head: head)
        } else {
            commit(head)
        }
    }

    private func commit(_ head: EngineHead) {
        phase = .relaying
        record.status = head.head.status
        record.streamed = answer.isStream
        releaseBody()
        owner.answerBegan(head, framing: framing)
        if let outcome = owner.refusal { stopAnswer(outcome) }
    }

    /// Payload in passing, inside one read.
    func observe(_ bytes: UnsafeRawBufferPointer) {
        guard phase == .relaying || phase == .holding else { return }
        answer.observe(bytes)
        if wantsPayload { owner.payload(bytes) }
    }

    /// What `observe` saw, framed. Called once for each read.
    func take(_ bytes: ByteBuffer) {
        record.bytesOut += bytes.readableBytes
        switch phase {
        case .relaying:
            if !wantsPayload {
                owner.answerBytes(bytes)
            } else if let outcome = owner.refusal {
                stopAnswer(outcome)
            }
        case .holding:
            held?.bytes.writeImmutableBuffer(bytes)
            decideHeld(isAtEnd: false)
        default: break
        }
    }

    private func decideHeld(isAtEnd: Bool) {
        guard let held else { return }
        if answer.firstEvent == .undecided, !isAtEnd, held.bytes.readableBytes < loop.settings.firstEventHoldBytes {
            return
        }
        if answer.firstEvent == .error(overload: true) {
            let connection = connection
            self.connection = nil
            connection?.close()
            return fail(.full(retryAfter: nil))
        }
        self.held = nil
        commit(held.head)
        guard phase == .relaying else { return }
        if held.bytes.readableBytes > 0, !wantsPayload { owner.answerBytes(held.bytes) }
    }

    /// The owner takes no more: the engine's connection is closed, which aborts the rest.
    private func stopAnswer(_ outcome: Outcome) {
        connection?.close()
        finish(outcome)
        owner.answerBroken(outcome)
    }

    /// The engine has taken the request, but this answer shows no output yet: of a stream no event with content, of
    /// another answer no byte of its body.
    var awaitsOutput: Bool { answer.isStream ? !answer.hasOutput : record.bytesOut == 0 }

    /// A 5xx counts as a failure at its end, and a refusal comes without a prefill: neither began an answer.
    private var mayStart: Bool { record.status < 300 }

    /// One read of the engine's socket was handed on, and the answer goes on.
    func readEnded(_ now: Instant) {
        guard phase == .relaying else { return }
        owner.flushAnswer()
        // Engines send a stream's head when they admit it, long before its prefill.
        guard phase == .relaying, !awaitsOutput else { return }
        noteOutput(now)
        if !startIsTold, mayStart {
            startIsTold = true
            loop.host.submit(.started(work))
        }
        if answer.outputTokens > toldTokens { loop.noteProgress(self) }
    }

    /// The first output of a stream, or the first byte of another answer, is what a person waits for; the gaps between
    /// later ones are what a person sees.
    private func noteOutput(_ now: Instant) {
        if record.firstByteAt == nil { record.firstByteAt = now }
        guard answer.outputTokens > seenTokens else { return }
        seenTokens = answer.outputTokens
        if let outputAt { loop.gaps.record(now.nanoseconds &- outputAt.nanoseconds, record.band) }
        // The flush of this read may have found that the client takes no more.
        outputAt = isPaused ? nil : now
    }

    /// Output since the last call.
    func takeProgress() -> Progress? {
        let tokens = answer.outputTokens - toldTokens
        guard phase != .ended, tokens > 0 else { return nil }
        toldTokens += tokens
        defer { wasPaused = false }
        return Progress(work: work, outputTokens: tokens, lastOutputAt: wasPaused ? nil : outputAt)
    }

    /// Its connection serves others by now, or is closed.
    func answerEnded() {
        guard phase == .holding || phase == .relaying else { return }
        connection = nil
        answer.finish()
        if phase == .holding { decideHeld(isAtEnd: true) }
        guard phase == .relaying else { return }
        owner.flushAnswer()
        // The flush may have found the client gone, which ended the work.
        guard phase == .relaying else { return }
        let outcome = answer.hasErrorEvent ? Outcome.engineStreamError : .completed
        finish(outcome)
        owner.answerEnded()
    }

    func answerCut() { breakOff(.engineTruncated, ifUntold: .truncated) }

    func answerStalled() {
        breakOff(awaitsOutput ? .firstByteTimeout : .idleTimeout, ifUntold: .firstByteTimeout)
    }

    func answerInvalid(beforeHead: Bool) {
        if beforeHead {
            guard phase == .sent else { return }
            connection = nil
            return fail(.protocolError)
        }
        breakOff(.engineProtocol, ifUntold: .protocolError)
    }

    private func breakOff(_ outcome: Outcome, ifUntold failure: AttemptFailure) {
        if phase == .holding { return fail(failure) }
        guard phase == .relaying else { return }
        finish(outcome)
        owner.answerBroken(outcome)
    }

    /// The answer is over: the scheduler is told, and the record handed on.
    private func finish(_ outcome: Outcome) {
        let hasOutput = !awaitsOutput
        if hasOutput { noteOutput(loop.now()) }
        let usage = answer.usage
        record.promptTokens = usage?.promptTokens
        record.cachedTokens = usage?.cachedTokens
        record.outputTokens = usage?.completionTokens ?? (answer.isStream ? answer.outputTokens : nil)
        let completion = Completion(
            outcome: outcome, status: record.status, promptTokens: record.promptTokens,
            outputTokens: record.outputTokens, cachedTokens: record.cachedTokens)
        let wasTold = startIsTold || !hasOutput || !mayStart
        let progress = takeProgress().map { Event.progressed([$0]) }
        record.outcome = outcome
        end()
        let finished = Event.finished(work, completion)
        switch (wasTold, progress) {
        case (true, nil): loop.host.submit(finished)
        case (true, let progress?): loop.host.submit(progress, finished)
        case (false, nil): loop.host.submit(.started(work), finished)
        case (false, let progress?): loop.host.submit(.started(work), progress, finished)
        }
        loop.hand(record, outcome)
    }

    private func end() {
        phase = .ended
        connection = nil
        held = nil
        releaseBody()
        loop.forget(work)
    }

    private func releaseBody() {
        body = ByteBuffer()
        if reservedBytes > 0 {
            loop.budget.release(reservedBytes)
            reservedBytes = 0
        }
    }

    // MARK: Back-pressure

    /// The client does not take what it has: reading from the engine stops.
    func pause() {
        // The next gap is the client's, not the engine's.
        outputAt = nil
        (isPaused, wasPaused) = (true, true)
        connection?.pause()
    }

    func resume() {
        isPaused = false
        connection?.resume()
    }
}

/// An answer whose first event is not known yet.
private struct HeldAnswer {
    let head: EngineHead
    var bytes = ByteBuffer()
}

extension RequestRecord {
    fileprivate mutating func note(_ told: ToldRefusal) {
        status = told.status
        refusal = told.code
        bytesOut = told.bodyBytes
    }
}
