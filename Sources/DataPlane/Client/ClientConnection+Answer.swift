import FlowControl
import NIOCore
import SchedulerRuntime
import WireFormats

/// The relay proper: what goes to the engine and what comes back.
extension ClientConnection: ExchangeOwner {
    var wantsPayload: Bool { false }

    func granted(_ exchange: Exchange) {}

    func writeHead(into text: inout ByteText, for lane: EngineLane) {
        let head = parser.head
        text.append(bytes: lane.methodAndPrefix)
        if head.targetRange.isEmpty { text.append("/") }
        text.append(of: headBytes, head.targetRange)
        text.append(bytes: lane.versionAndHost)
        let consumes = loop.consumesCredentials
        let hasCredential = lane.hasCredential
        HeadCopy.lines(of: head.fields, in: headBytes, into: &text) { field in
            switch field.name {
            case .host, .contentLength, .expect, .requestID, .forwardedFor: false
            case .authorization: !consumes && !hasCredential
            case .apiKey: !consumes
            default: true
            }
        }
        text.append("x-request-id: ")
        text.append(string: request.id)
        text.append("\r\nx-forwarded-for: ")
        for field in head.fields.all where field.name == .forwardedFor && !field.valueRange.isEmpty {
            text.append(of: headBytes, field.valueRange)
            text.append(", ")
        }
        text.append(string: peer)
        text.append("\r\n")
    }

    func answerBegan(_ head: EngineHead, framing: BodyFraming) {
        answerFraming = framing
        request.status = head.head.status
        // No further attempt: the head's bytes, and the read they share with the body, are not needed any more.
        headBytes = ByteBuffer()
        writeAnswerHead(head, framing, into: &loop.text)
        // A small answer joins its head.
        var room = loop.text.count
        if case .length(let length) = framing { room += min(length, ClientConnection.joinedBytes) }
        var buffer = loop.allocator.buffer(capacity: room)
        buffer.writeText(loop.text)
        pendingHead = buffer
        if context?.channel.isWritable == false { exchange?.pause() }
    }

    private func writeAnswerHead(_ head: EngineHead, _ framing: BodyFraming, into text: inout ByteText) {
        text.removeAll()
        text.append("HTTP/1.1 ")
        text.append(decimal: head.head.status)
        text.append(" ")
        text.append(of: head.bytes, head.head.reasonRange)
        text.append("\r\n")
        HeadCopy.lines(of: head.head.fields, in: head.bytes, into: &text) { field in
            field.name != .contentLength && field.name != .requestID
        }
        switch framing {
        case .length(let length):
            text.append("Content-Length: ")
            text.append(decimal: length)
            text.append("\r\n")
        case .chunked, .untilClose: text.append("Transfer-Encoding: chunked\r\n")
        case .none:
            if head.head.status != 204 && head.head.status != 304 { text.append("Content-Length: 0\r\n") }
        }
        finishOwnHead(&text)
    }

    /// Up to so many bytes of an answer are copied behind its head: one write of one buffer is cheaper than of two.
    private static let joinedBytes = 8192

    func payload(_ bytes: UnsafeRawBufferPointer) {}

    var refusal: Outcome? { nil }

    func answerBytes(_ bytes: ByteBuffer) {
        guard let context else { return }
        guard answerFraming != .untilClose else { return writeChunk(bytes, context) }
        guard pendingHead != nil else { return context.write(wrapOutboundOut(bytes), promise: nil) }
        if bytes.readableBytes <= ClientConnection.joinedBytes {
            pendingHead?.writeImmutableBuffer(bytes)
        } else {
            writePendingHead(context)
            context.write(wrapOutboundOut(bytes), promise: nil)
        }
    }

    /// The engine ends this answer by closing; the client is told its pieces, so that it can tell an end from a cut.
    private func writeChunk(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        guard bytes.readableBytes > 0 else { return }
        writePendingHead(context)
        var chunk = loop.allocator.buffer(capacity: bytes.readableBytes + 20)
        chunk.writeChunkSize(bytes.readableBytes)
        chunk.writeImmutableBuffer(bytes)
        chunk.writeStaticString("\r\n")
        context.write(wrapOutboundOut(chunk), promise: nil)
    }

    private func writePendingHead(_ context: ChannelHandlerContext) {
        guard let head = pendingHead else { return }
        pendingHead = nil
        context.write(wrapOutboundOut(head), promise: nil)
    }

    func flushAnswer() {
        guard let context else { return }
        writePendingHead(context)
        context.flush()
    }

    func answerEnded() {
        if answerFraming == .untilClose {
            context?.writeAndFlush(wrapOutboundOut(ByteBuffer(staticString: "0\r\n\r\n")), promise: nil)
        }
        exchange = nil
        guard phase == .exchange else { return }
        answerIsOver()
    }

    func answerBroken(_ outcome: Outcome) {
        exchange = nil
        closeNow()
    }

    func refused(_ outcome: Outcome, retryAfter: Duration?) -> ToldRefusal {
        exchange = nil
        guard phase == .exchange else { return ToldRefusal() }
        phase = .deciding
        let refusal = StatusTable.refusal(for: outcome, retryAfter: retryAfter)
        if refusal.closes { closesAfterAnswer = true }
        writeRefusal(refusal)
        let told = ToldRefusal(status: refusal.status, code: refusal.code, bodyBytes: request.bytesOut)
        answerIsOver()
        return told
    }
}
