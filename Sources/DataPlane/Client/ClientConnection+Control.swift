import FleetTracking
import FlowControl
import NIOCore
import WireFormats

/// Requests on control paths: the body is streamed in, the answer streamed out, both at the other side's speed.
extension ClientConnection {
    func beginControl(_ head: RequestHead) {
        guard let bridge else { return refuseUnread(StatusTable.pathUnknown(request.path)) }
        let limit = loop.settings.controlBodyBytes
        if let length = head.fields.contentLength, length > limit {
            return refuse(StatusTable.bodyTooLarge(limit: limit))
        }
        guard bridge.takePlace(ControlRank(path: request.path, hasBody: head.hasBody)) else {
            return refuseUnread(StatusTable.controlBusy(limit: loop.settings.controlRequests))
        }
        phase = .control
        gathering = BodyGathering()
        gathering.due = request.arrivedAt + loop.settings.controlBodyTimeout
        gathering.remaining = head.fields.isChunked ? -1 : head.fields.contentLength ?? 0
        if head.fields.isChunked { gathering.chunks = ChunkParser(limits: loop.settings.http) }
        let call = ControlCall(controlHead(head), connection: self, hasBody: head.hasBody)
        control = call
        headBytes = ByteBuffer()
        if head.expectsContinue, head.hasBody, inbound.readableBytes == 0 {
            let line = ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")
            context?.writeAndFlush(wrapOutboundOut(line), promise: nil)
        }
        setDeadline(controlDeadline)
        bridge.hand(call)
        if !call.bodyEnded, inbound.readableBytes > 0 {
            let first = inbound
            inbound = ByteBuffer()
            takeControlBody(first)
        }
    }

    private func controlHead(_ head: RequestHead) -> ControlCall.ControlHead {
        var headers: [(name: String, value: String)] = []
        headBytes.withUnsafeReadableBytes { bytes in
            for field in head.fields.all
            where !field.name.isHopByHop && field.name != .expect && !head.fields.isNamedInConnection(field, bytes) {
                headers.append((headBytes.text(field.nameRange), headBytes.text(field.valueRange)))
            }
        }
        return ControlCall.ControlHead(
            method: request.method, uri: head.targetRange.isEmpty ? "/" : headBytes.text(head.targetRange),
            headers: headers, identity: request.identity,
            contentLength: head.fields.isChunked ? nil : head.fields.contentLength ?? 0)
    }

    /// While the client owes body bytes that somebody waits for, its silence and the whole body's time are limited;
    /// while it takes nothing of the answer, that is.
    var controlDeadline: Instant {
        guard let control, control.wantsBody else { return stallDue }
        return min(stallDue, gathering.due, loop.now() + loop.settings.bodySilence)
    }

    func takeControlBody(_ buffer: ByteBuffer) {
        guard let control else { return }
        if gathering.chunks != nil { return takeControlChunks(buffer, control) }
        var buffer = buffer
        if let part = buffer.readSlice(length: min(gathering.remaining, buffer.readableBytes)) {
            gathering.remaining -= part.readableBytes
            request.bytesIn += part.readableBytes
            control.take(part)
        }
        if gathering.remaining == 0 { control.endBody() }
        if buffer.readableBytes > 0 { stash(buffer) }
        setDeadline(controlDeadline)
    }

    private func takeControlChunks(_ buffer: ByteBuffer, _ control: ControlCall) {
        guard var chunks = gathering.chunks else { return }
        gathering.chunks = nil
        var pieces: [Range<Int>] = []
        var failure: ControlFailure?
        var end: Int?
        buffer.withUnsafeReadableBytes { bytes in
            var position = 0
            scan: while true {
                switch chunks.next(bytes, at: &position) {
                case .data(let range): pieces.append(range)
                case .needMore: break scan
                case .end(let offset):
                    end = offset
                    break scan
                case .refused:
                    failure = .badBody
                    break scan
                }
            }
        }
        gathering.chunks = chunks
        for range in pieces {
            if let piece = buffer.getSlice(at: buffer.readerIndex + range.lowerBound, length: range.count) {
                request.bytesIn += range.count
                control.take(piece)
            }
        }
        if request.bytesIn > loop.settings.controlBodyBytes { failure = .bodyTooLarge }
        if let failure {
            control.fail(failure)
            let isTooLarge = failure == .bodyTooLarge
            let limit = loop.settings.controlBodyBytes
            return abortControl(
                isTooLarge ? StatusTable.bodyTooLarge(limit: limit) : StatusTable.refusal(for: HTTPRefusal.badChunk))
        }
        if let end {
            control.endBody()
            var rest = buffer
            rest.moveReaderIndex(forwardBy: end)
            if rest.readableBytes > 0 { stash(rest) }
        }
        setDeadline(controlDeadline)
    }

    /// The request cannot be read to its end: it is answered if nothing was answered yet, and the connection ends.
    func abortControl(_ refusal: Refusal) {
        control = nil
        gathering = BodyGathering()
        guard request.status != 0 else { return refuse(refusal) }
        request.refusal = refusal.code
        tell(refusal.outcome)
        closeTold()
    }

    func controlWantsBody() {
        guard phase == .control else { return }
        setDeadline(controlDeadline)
        readAgain()
    }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    func writeControlHead(status: Int, headers: [(name: String, value: String)], contentLength: Int?) {
        request.status = status
        // The client is still sending: what is left of its body cannot be told from a next request in time.
        if let control, !control.bodyEnded { closesAfterAnswer = true }
        var text = ByteText(capacity: 512)
        text.append("HTTP/1.1 ")
        text.append(decimal: status)
        text.append(" ")
        text.append(ReasonPhrase.of(status))
        text.append("\r\n")
        for (name, value) in headers where ControlHeaders.mayPass(name, value) {
            text.append(string: name)
            text.append(": ")
            text.append(string: value)
            text.append("\r\n")
        }
        if status == 204 || status == 304 {
            answerFraming = .none
        } else if let contentLength {
            answerFraming = .length(contentLength)
            text.append("Content-Length: ")
            text.append(decimal: contentLength)
            text.append("\r\n")
        } else {
            answerFraming = .chunked
            text.append("Transfer-Encoding: chunked\r\n")
        }
        if request.isHead { answerFraming = .none }
        finishOwnHead(&text)
        pendingHead = loop.buffer(of: text)
    }

    /// Length-framed bytes past the promised length are dropped; the end is then found broken.
    func writeControlPiece(_ piece: ByteBuffer) {
        guard let context, piece.readableBytes > 0 else { return }
        switch answerFraming {
        case .none: break
        case .length(let left):
            answerFraming = .length(left - piece.readableBytes)
            guard piece.readableBytes <= left else { return }
            request.bytesOut += piece.readableBytes
            joinPending(piece, context)
        case .chunked, .untilClose:
            request.bytesOut += piece.readableBytes
            var chunk = loop.allocator.buffer(capacity: piece.readableBytes + 20)
            chunk.writeChunkSize(piece.readableBytes)
            chunk.writeImmutableBuffer(piece)
            chunk.writeStaticString("\r\n")
            joinPending(chunk, context)
        }
        context.flush()
    }

    private func joinPending(_ piece: ByteBuffer, _ context: ChannelHandlerContext) {
        if var head = pendingHead {
            pendingHead = nil
            head.writeImmutableBuffer(piece)
            context.write(wrapOutboundOut(head), promise: nil)
        } else {
            context.write(wrapOutboundOut(piece), promise: nil)
        }
    }

    func writeControlEnd() {
        guard let context else { return }
        if answerFraming == .chunked { joinPending(ByteBuffer(staticString: "0\r\n\r\n"), context) }
        if let head = pendingHead {
            pendingHead = nil
            context.write(wrapOutboundOut(head), promise: nil)
        }
        context.flush()
    }

    /// The task that answered is done. `isWhole`: it said that it finished.
    func controlEnded(_ call: ControlCall, headIsWritten: Bool, isWhole: Bool) {
        guard control === call, phase == .control else { return }
        var isWhole = isWhole
        if case .length(let left) = answerFraming, left != 0 { isWhole = false }
        if !headIsWritten {
            control = nil
            if !call.bodyEnded { closesAfterAnswer = true }
            return refuse(StatusTable.controlFailed, outcome: .completed)
        }
        tell(.completed)
        if !isWhole { return closeTold() }
        if !call.bodyEnded { closesAfterAnswer = true }
        gathering = BodyGathering()
        answerIsOver()
    }

    /// The record is out: the connection must not tell another one while it closes.
    private func closeTold() {
        phase = .lingering
        closeNow()
    }
}

/// Headers of control answers that this room writes itself, or that would break the answer's framing.
private enum ControlHeaders {
    static func mayPass(_ name: String, _ value: String) -> Bool {
        switch name.lowercased() {
        case "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "x-request-id": return false
        default: break
        }
        return !name.isEmpty && name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != 0x3a }
            && value.utf8.allSatisfy { ($0 >= 0x20 && $0 != 0x7f) || $0 == 0x09 }
    }
}
