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
            request.bytesIn = length
        } else if parser.head.hasBody {
            refusal.closes = true
        }
        refuse(refusal)
    }

    /// A refusal of a head that is not whole or not valid. What its request line said, if that much came, decides in
    /// which words it is told.
    func refuseHead(_ refusal: Refusal) {
        let head = parser.head
        request = RequestFacts(arrivedAt: loop.now())
        if !head.pathRange.isEmpty {
            request.method = inbound.text(head.methodRange)
            request.isHead = head.method == .head
            request.path = inbound.text(head.pathRange)
            request.kind = RequestKind(path: request.path)
        }
        inbound = ByteBuffer()
        refuse(refusal)
    }

    /// Answers the request in hand with an error of the gateway's own. It is told here, and nowhere else: whatever the
    /// write finds, the connection is no longer in a phase whose end is told.
    func refuse(_ refusal: Refusal, outcome: Outcome? = nil) {
        // After an unfinished body the next request cannot be found.
        if refusal.closes || phase == .body || phase == .budget { closesAfterAnswer = true }
        noteGathered()
        phase = .deciding
        releaseGathered()
        writeRefusal(refusal)
        tell(outcome ?? refusal.outcome)
        answerIsOver()
    }

    func writeRefusal(_ refusal: Refusal) {
        let body = refusal.body(for: request.kind, requestID: request.id.isEmpty ? nil : request.id)
        request.status = refusal.status
        request.refusal = refusal.code
        request.bytesOut = request.isHead ? 0 : body.count
        var text = ByteText(capacity: 384 + body.count)
        text.append("HTTP/1.1 ")
        text.append(decimal: refusal.status)
        text.append(" ")
        text.append(ReasonPhrase.of(refusal.status))
        text.append("\r\nContent-Type: application/json\r\nContent-Length: ")
        text.append(decimal: body.count)
        text.append("\r\n")
        if let allow = refusal.allow { text.append(string: "Allow: \(allow)\r\n") }
        if let seconds = refusal.retryAfter { text.append(string: "Retry-After: \(seconds)\r\n") }
        if refusal.status == 401 { text.append("WWW-Authenticate: Bearer\r\n") }
        finishOwnHead(&text)
        if !request.isHead { text.append(bytes: body) }
        context?.writeAndFlush(wrapOutboundOut(loop.buffer(of: text)), promise: nil)
    }

    /// The lines that every answer ends its head with.
    func finishOwnHead(_ text: inout ByteText) {
        if !request.id.isEmpty {
            text.append("x-request-id: ")
            text.append(string: request.id)
            text.append("\r\n")
        }
        if closesAfterAnswer || loop.isDraining { text.append("Connection: close\r\n") }
        text.append("\r\n")
    }
}
