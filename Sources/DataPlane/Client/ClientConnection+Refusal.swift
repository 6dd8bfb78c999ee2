import FlowControl
import NIOCore
import WireFormats

extension ClientConnection {
    /// A refusal before the body was read. A small body that is here already is skipped and the connection kept.
    func refuseUnread(_ refusal: Refusal) {
        var refusal = refusal
        let fields = parser.head.fields
        if let length = fields.contentLength, !fields.isChunked, length <= inbound.readableBytes {
            inbound.moveReaderIndex(forwardBy: length)
        } else if parser.head.hasBody {
            refusal.closes = true
        }
        refuse(refusal)
    }

    /// Answers the request in hand with an error of the gateway's own.
    func refuse(_ refusal: Refusal, outcome: Outcome? = nil) {
        let isMidBody = phase == .body || phase == .budget
        releaseGathered()
        // After an unfinished body the next request cannot be found.
        if refusal.closes || isMidBody { closesAfterAnswer = true }
        writeRefusal(refusal)
        tell(outcome ?? refusal.outcome, status: refusal.status)
        answerIsOver()
    }

    func writeRefusal(_ refusal: Refusal) {
        request.status = refusal.status
        let body = refusal.body(for: request.kind, requestID: request.id.isEmpty ? nil : request.id)
        var buffer = loop.allocator.buffer(capacity: 384 + body.count)
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeDecimal(refusal.status)
        buffer.writeStaticString(" ")
        buffer.writeStaticString(ReasonPhrase.of(refusal.status))
        buffer.writeStaticString("\r\nContent-Type: application/json\r\nContent-Length: ")
        buffer.writeDecimal(body.count)
        buffer.writeStaticString("\r\n")
        if let allow = refusal.allow { buffer.writeString("Allow: \(allow)\r\n") }
        if let seconds = refusal.retryAfter { buffer.writeString("Retry-After: \(seconds)\r\n") }
        if refusal.status == 401 { buffer.writeStaticString("WWW-Authenticate: Bearer\r\n") }
        finishOwnHead(&buffer)
        if !request.isHead { buffer.writeBytes(body) }
        context?.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    /// The lines that every answer ends its head with.
    func finishOwnHead(_ buffer: inout ByteBuffer) {
        if !request.id.isEmpty {
            buffer.writeStaticString("x-request-id: ")
            buffer.writeString(request.id)
            buffer.writeStaticString("\r\n")
        }
        if closesAfterAnswer || loop.isDraining { buffer.writeStaticString("Connection: close\r\n") }
        buffer.writeStaticString("\r\n")
    }
}
