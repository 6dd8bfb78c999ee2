import FlowControl
import NIOCore
import SchedulerRuntime
import WireFormats

/// The relay proper: what goes to the engine and what comes back.
extension ClientConnection: ExchangeOwner {
    var wantsPayload: Bool { false }

    func granted(_ exchange: Exchange) {}

    func writeHead(into buffer: inout ByteBuffer, for lane: EngineLane) {
        let head = parser.head
        buffer.writeBytes(lane.methodAndPrefix)
        if head.targetRange.isEmpty { buffer.writeStaticString("/") }
        buffer.writeBytes(of: headBytes, head.targetRange)
        buffer.writeBytes(lane.versionAndHost)
        let consumes = loop.consumesCredentials
        let hasCredential = lane.hasCredential
        HeadCopy.lines(of: head.fields, in: headBytes, into: &buffer) { field in
            switch field.name {
            case .host, .contentLength, .expect, .requestID, .forwardedFor: false
            case .authorization: !consumes && !hasCredential
            case .apiKey: !consumes
            default: true
            }
        }
        buffer.writeStaticString("x-request-id: ")
        buffer.writeString(request.id)
        buffer.writeStaticString("\r\nx-forwarded-for: ")
        for field in head.fields.all where field.name == .forwardedFor && !field.valueRange.isEmpty {
            buffer.writeBytes(of: headBytes, field.valueRange)
            buffer.writeStaticString(", ")
        }
        buffer.writeString(peer)
        buffer.writeStaticString("\r\n")
    }

    func answerBegan(_ head: EngineHead, framing: BodyFraming) {
        answerFraming = framing
        request.status = head.head.status
        // No further attempt: the head's bytes, and the read they share with the body, are not needed any more.
        headBytes = ByteBuffer()
        var buffer = loop.allocator.buffer(capacity: 1024)
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeDecimal(head.head.status)
        buffer.writeStaticString(" ")
        buffer.writeBytes(of: head.bytes, head.head.reasonRange)
        buffer.writeStaticString("\r\n")
        HeadCopy.lines(of: head.head.fields, in: head.bytes, into: &buffer) { field in
            field.name != .contentLength && field.name != .requestID
        }
        switch framing {
        case .length(let length):
            buffer.writeStaticString("Content-Length: ")
            buffer.writeDecimal(length)
            buffer.writeStaticString("\r\n")
        case .chunked, .untilClose: buffer.writeStaticString("Transfer-Encoding: chunked\r\n")
        case .none:
            if head.head.status != 204 && head.head.status != 304 {
                buffer.writeStaticString("Content-Length: 0\r\n")
            }
        }
        finishOwnHead(&buffer)
        pendingHead = buffer
        if context?.channel.isWritable == false { exchange?.pause() }
    }

    func payload(_ bytes: UnsafeRawBufferPointer) {}

    var refusal: Outcome? { nil }

    func answerBytes(_ bytes: ByteBuffer) {
        guard let context else { return }
        guard answerFraming != .untilClose else { return writeChunk(bytes, context) }
        guard pendingHead != nil else { return context.write(wrapOutboundOut(bytes), promise: nil) }
        if bytes.readableBytes <= 8192 {
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
