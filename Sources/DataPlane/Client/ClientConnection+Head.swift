import FlowControl
import NIOCore
import SchedulerRuntime
import WireFormats

extension ClientConnection {
    /// A whole head is here: who asks, for what, and does its body come to an engine or to the control plane.
    func handleHead() {
        let head = parser.head
        let now = loop.now()
        closesAfterAnswer = head.fields.saysClose
        var facts = RequestFacts(arrivedAt: now)
        facts.id = requestID(head)
        facts.isHead = head.method == .head
        facts.method = head.method == .post ? "POST" : headBytes.text(head.methodRange)
        takePath(head.pathRange, &facts)
        request = facts
        if !permit.becomeOrdinary() {
            closesAfterAnswer = true
            guard ReservedPath.contains(facts.path) else {
                permit.noteRefusal()
                return refuseUnread(StatusTable.connectionsInUse)
            }
        }
        let isEnginePath = facts.isEnginePath
        let identity = identify(head)
        if let identity, !loop.consumesCredentials, isOfAnotherSite(head) {
            request.identity = identity
            return refuseUnread(StatusTable.crossSite)
        }
        if isEnginePath || bridge == nil {
            guard let identity else { return refuseUnread(StatusTable.unauthorized) }
            request.identity = identity
            handleEngineHead(head, isEnginePath: isEnginePath)
        } else {
            guard let identity = identity ?? (isOpen(facts.path) ? .stranger : nil) else {
                return refuseUnread(StatusTable.unauthorized)
            }
            request.identity = identity
            beginControl(head)
        }
    }

    /// A browser sends it for another site's page. It asks nobody before a POST without a content type, and such a page
    /// could use a gateway that only its visitor can reach: without keys everybody who asks may do everything. Browsers
    /// name the page's site in `Origin` with all that may change something; programs send none.
    private func isOfAnotherSite(_ head: RequestHead) -> Bool {
        switch head.method {
        case .get, .head, .options: return false
        case .post, .put, .delete, .patch, .other: break
        }
        guard let origin = head.fields.first(.origin) else { return false }
        guard let host = head.fields.first(.host) else { return true }
        let site = headBytes.text(origin.valueRange).lowercased()
        let own = headBytes.text(host.valueRange).lowercased()
        return site != "http://\(own)" && site != "https://\(own)"
    }

    private func isOpen(_ path: String) -> Bool {
        OpenPath.contains(path) && !(path == "/metrics" && loop.settings.metricsNeedKey)
    }

    /// An unchanged path is not built and looked up again: most connections ask for one.
    private func takePath(_ range: Range<Int>, _ facts: inout RequestFacts) {
        facts.directoryVersion = loop.directory.version
        let isUnchanged = !request.path.isEmpty && isSame(range, request.path)
        if isUnchanged {
            facts.path = request.path
            facts.kind = request.kind
        } else {
            facts.path = range.isEmpty ? "/" : headBytes.text(range)
            facts.kind = RequestKind(path: facts.path)
        }
        facts.isEnginePath =
            isUnchanged && request.directoryVersion == facts.directoryVersion
            ? request.isEnginePath : EnginePaths.contains(facts.path, loop.directory.current)
    }

    private func isSame(_ range: Range<Int>, _ text: String) -> Bool {
        guard range.count == text.utf8.count else { return false }
        return headBytes.withUnsafeReadableBytes { bytes in
            var text = text
            return text.withUTF8 { ByteSearch.equal(bytes, range, to: UnsafeRawBufferPointer($0)) }
        }
    }

    private func handleEngineHead(_ head: RequestHead, isEnginePath: Bool) {
        guard isEnginePath else { return refuseUnread(StatusTable.pathUnknown(request.path)) }
        switch head.method {
        case .post: break
        case .options: return answerOptions()
        default: return refuseUnread(StatusTable.methodNotAllowed(request.path))
        }
        if let field = head.fields.first(.contentEncoding), !isValue(field, "identity") {
            return refuseUnread(StatusTable.encodedBody)
        }
        if let field = head.fields.first(.contentType), !isJSON(field) { return refuseUnread(StatusTable.notJSON) }
        if head.fields.isChunked { return gatherChunked(head) }
        guard let length = head.fields.contentLength else { return refuse(StatusTable.lengthRequired) }
        if length > loop.settings.bodyBytes {
            return refuse(StatusTable.bodyTooLarge(limit: loop.settings.bodyBytes))
        }
        gather(length: length, head)
    }

    private func isValue(_ field: HeaderField, _ literal: StaticString) -> Bool {
        headBytes.withUnsafeReadableBytes { ByteScan.equals($0, field.valueRange, lowercased: literal) }
    }

    /// `application/json`, with parameters or not, and its `+json` kin.
    private func isJSON(_ field: HeaderField) -> Bool {
        headBytes.withUnsafeReadableBytes { bytes in
            let range = field.valueRange
            let end = range.first { bytes[$0] == UInt8(ascii: ";") } ?? range.upperBound
            let type = ByteScan.trimmed(bytes, range.lowerBound..<end)
            return ByteScan.equals(bytes, type, lowercased: "application/json")
                || (type.count > 5 && ByteScan.equals(bytes, type.suffix(5), lowercased: "+json"))
        }
    }

    /// The client's own id if it is 1 to 128 visible ASCII characters, else a fresh one.
    private func requestID(_ head: RequestHead) -> String {
        if let field = head.fields.first(.requestID), (1...128).contains(field.valueRange.count) {
            let isSane = headBytes.withUnsafeReadableBytes { bytes in
                field.valueRange.allSatisfy { bytes[$0] > 0x20 && bytes[$0] < 0x7f }
            }
            if isSane { return headBytes.text(field.valueRange) }
        }
        return loop.makeRequestID()
    }

    private func identify(_ head: RequestHead) -> Identity? {
        guard loop.consumesCredentials else {
            return loop.services.identity.identify(authorization: nil, apiKey: nil)
        }
        return loop.services.identity.identify(
            authorization: head.fields.first(.authorization).map { headBytes.text($0.valueRange) },
            apiKey: head.fields.first(.apiKey).map { headBytes.text($0.valueRange) })
    }

    private func answerOptions() {
        if parser.head.hasBody { closesAfterAnswer = true }
        var text = ByteText(capacity: 160)
        text.append("HTTP/1.1 204 No Content\r\nAllow: POST, OPTIONS\r\n")
        finishOwnHead(&text)
        request.status = 204
        context?.writeAndFlush(wrapOutboundOut(loop.buffer(of: text)), promise: nil)
        tell(.completed)
        answerIsOver()
    }
}
