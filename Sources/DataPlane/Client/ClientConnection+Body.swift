import FleetTracking
import FlowControl
import NIOCore
import WireFormats

extension ClientConnection {
    /// A body of known length. One that is here already is taken in place, without a copy.
    func gather(length: Int, _ head: RequestHead) {
        if inbound.readableBytes >= length, loop.budget.reserve(length) {
            gathering.reserved = length
            let body = inbound.readSlice(length: length) ?? ByteBuffer()
            if inbound.readableBytes == 0 { inbound = ByteBuffer() }
            return submit(body)
        }
        gathering = BodyGathering()
        gathering.remaining = length
        beginGathering(head)
    }

    func gatherChunked(_ head: RequestHead) {
        gathering = BodyGathering()
        gathering.remaining = -1
        gathering.chunks = ChunkParser(limits: loop.settings.http)
        beginGathering(head)
    }

    private func beginGathering(_ head: RequestHead) {
        phase = .body
        let now = loop.now()
        gathering.due = now + loop.settings.bodyTimeout
        setDeadline(min(gathering.due, now + loop.settings.bodySilence))
        if head.expectsContinue, inbound.readableBytes == 0 {
            let line = ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")
            context?.writeAndFlush(wrapOutboundOut(line), promise: nil)
        }
        let first = inbound
        inbound = ByteBuffer()
        if first.readableBytes > 0 { gather(first) }
    }

    /// Takes bytes of the body. What is behind its end stays for the next request.
    func gather(_ buffer: ByteBuffer) {
        guard makeRoom(for: buffer) else { return }
        if gathering.chunks != nil { return gatherChunks(buffer) }
        var buffer = buffer
        if let part = buffer.readSlice(length: min(gathering.remaining, buffer.readableBytes)) {
            gathering.remaining -= part.readableBytes
            gathering.bytes.writeImmutableBuffer(part)
        }
        if gathering.remaining == 0 { return gathered(rest: buffer) }
        readHint.bytes = gathering.remaining
        moveBodyDeadline()
    }

    private func gatherChunks(_ buffer: ByteBuffer) {
        guard var chunks = gathering.chunks else { return }
        gathering.chunks = nil
        var refusal: Refusal?
        var end: Int?
        let limit = loop.settings.bodyBytes
        buffer.withUnsafeReadableBytes { bytes in
            var position = 0
            scan: while true {
                switch chunks.next(bytes, at: &position) {
                case .data(let range): gathering.bytes.writeBytes(UnsafeRawBufferPointer(rebasing: bytes[range]))
                case .needMore:
                    // A chunk that is only announced counts too.
                    if chunks.remaining > limit - gathering.bytes.readableBytes {
                        refusal = StatusTable.bodyTooLarge(limit: limit)
                    }
                    break scan
                case .end(let offset):
                    end = offset
                    if gathering.bytes.readableBytes > limit { refusal = StatusTable.bodyTooLarge(limit: limit) }
                    break scan
                case .refused(let bad):
                    refusal = StatusTable.refusal(for: bad)
                    break scan
                }
            }
        }
        gathering.chunks = chunks
        if let refusal { return refuse(refusal) }
        guard let end else { return moveBodyDeadline() }
        var rest = buffer
        rest.moveReaderIndex(forwardBy: end)
        gathered(rest: rest)
    }

    private func moveBodyDeadline() {
        setDeadline(min(gathering.due, loop.now() + loop.settings.bodySilence))
    }

    private func gathered(rest: ByteBuffer) {
        if rest.readableBytes > 0 { inbound = rest }
        let body = gathering.bytes
        gathering.bytes = ByteBuffer()
        gathering.chunks = nil
        readHint.bytes = 0
        phase = .deciding
        submit(body)
    }

    // MARK: The buffer budget

    /// Reserves before memory is taken, in growing steps: a client that only announces a large body holds none.
    private func makeRoom(for buffer: ByteBuffer) -> Bool {
        let needed = gathering.bytes.readableBytes + buffer.readableBytes
        guard needed > gathering.reserved else { return true }
        let announced = gathering.remaining < 0 ? nil : gathering.bytes.readableBytes + gathering.remaining
        let target = BufferBudget.step(for: needed, announced: announced)
        if loop.budget.reserve(target - gathering.reserved) {
            gathering.reserved = target
            gathering.bytes.reserveCapacity(target)
            return true
        }
        if gathering.budgetDue == .distantFuture { loop.budget.noteWait() }
        gathering.waiting = buffer
        gathering.budgetDue = loop.now() + loop.settings.bufferWait
        phase = .budget
        setDeadline(.distantFuture)
        loop.waitForBudget(self)
        return false
    }

    /// Called every tick while the body waits for room.
    func retryBudget(now: Instant) {
        guard phase == .budget, let buffer = gathering.waiting else { return }
        if now >= gathering.budgetDue {
            return refuse(StatusTable.refusal(for: .bufferBudget, retryAfter: nil), outcome: .bufferBudget)
        }
        gathering.waiting = nil
        phase = .body
        let due = gathering.budgetDue
        gather(buffer)
        // Still no room: the wait goes on from where it was, it does not start again.
        if phase == .budget { gathering.budgetDue = due } else { readAgain() }
    }

    /// How much of an unfinished body came, for the record.
    func noteGathered() {
        if phase == .body || phase == .budget { request.bytesIn = gathering.bytes.readableBytes }
    }

    func releaseGathered() {
        let reserved = gathering.reserved
        gathering = BodyGathering()
        if reserved > 0 { loop.budget.release(reserved) }
    }
}
