/// Parses request heads (RFC 9112), strictly: what two parsers could read in two ways is refused.
///
/// States: request line → field lines → complete, or refused from anywhere. `reset` starts the next message.
/// HTTP/1.1 only. One empty line before the request line is skipped (RFC 9112 §2.2).
package struct RequestHeadParser: Sendable {
    private enum State {
        case requestLine
        case fieldLines
    }

    package let limits: HTTPLimits
    package private(set) var head = RequestHead()
    private var state = State.requestLine
    private var lines = HeadLines()
    private var skippedEmptyLine = false
    private var authority: Range<Int>?

    package init(limits: HTTPLimits) { self.limits = limits }

    /// Ready for the next message, keeping its memory.
    package mutating func reset() {
        head.reset()
        state = .requestLine
        lines.reset()
        skippedEmptyLine = false
        authority = nil
    }

    /// `bytes` start at the first byte of the message, at every call, and grow between calls.
    package mutating func parse(_ bytes: UnsafeRawBufferPointer) -> HeadProgress {
        // The longest request line: target, method, version and three separators.
        let requestLineLimit = limits.targetBytes &+ 48
        while true {
            let isFirst = state == .requestLine
            // Something that is no HTTP at all (a TLS hello, a binary probe) need not wait for a line to end.
            if isFirst, lines.next < bytes.count {
                let byte = bytes[lines.next]
                let maySkip = byte == 0x0d && !skippedEmptyLine
                if !ByteScan.isToken(byte) && !maySkip { return .refused(.badMethod) }
            }
            let line = lines.take(
                bytes, limit: isFirst ? requestLineLimit : limits.fieldLineBytes, headLimit: limits.headBytes,
                tooLong: isFirst ? .targetTooLong : .fieldLineTooLong)
            switch line {
            case .incomplete: return .incomplete
            case .refused(let refusal): return .refused(refusal)
            case .line(let range):
                if let progress = take(bytes, range) { return progress }
            }
        }
    }

    /// One whole line; nil: go on with the next.
    private mutating func take(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> HeadProgress? {
        switch state {
        case .requestLine:
            if range.isEmpty && !skippedEmptyLine {
                skippedEmptyLine = true
                return nil
            }
            if let refusal = takeRequestLine(bytes, range) { return .refused(refusal) }
            state = .fieldLines
            return nil
        case .fieldLines:
            if range.isEmpty {
                if let refusal = finish(bytes) { return .refused(refusal) }
                return .complete(lines.next)
            }
            if let refusal = head.fields.add(bytes, line: range, limits: limits) { return .refused(refusal) }
            return nil
        }
    }

    private mutating func takeRequestLine(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) -> HTTPRefusal? {
        var index = line.lowerBound
        while index < line.upperBound, ByteScan.isToken(bytes[index]) { index &+= 1 }
        guard index > line.lowerBound, index &- line.lowerBound <= 32 else { return .badMethod }
        guard index < line.upperBound, bytes[index] == 0x20 else {
            return index == line.upperBound ? .badRequestLine : .badMethod
        }
        head.methodRange = line.lowerBound..<index
        let targetStart = index &+ 1
        index = targetStart
        while index < line.upperBound, ByteScan.isTarget(bytes[index]) { index &+= 1 }
        guard index < line.upperBound else { return .badRequestLine }
        guard bytes[index] == 0x20 else { return .badTarget }
        if index &- targetStart > limits.targetBytes { return .targetTooLong }
        let target = targetStart..<index
        guard !target.isEmpty else { return .badTarget }
        if let refusal = checkVersion(bytes, (index &+ 1)..<line.upperBound) { return refusal }
        if ByteScan.equals(bytes, head.methodRange, exactly: "CONNECT") { return .connectMethod }
        head.method = RequestHeadParser.method(bytes, head.methodRange)
        return takeTarget(bytes, target)
    }

    private func checkVersion(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> HTTPRefusal? {
        if ByteScan.equals(bytes, range, exactly: "HTTP/1.1") { return nil }
        guard range.count == 8, ByteScan.equals(bytes, range.prefix(5), exactly: "HTTP/"),
            ByteScan.isDigit(bytes[range.lowerBound &+ 5]), bytes[range.lowerBound &+ 6] == 0x2e,
            ByteScan.isDigit(bytes[range.lowerBound &+ 7])
        else { return .badRequestLine }
        return .badVersion
    }

    private mutating func takeTarget(_ bytes: UnsafeRawBufferPointer, _ target: Range<Int>) -> HTTPRefusal? {
        var rest = target
        if bytes[target.lowerBound] != 0x2f {
            if target.count == 1, bytes[target.lowerBound] == 0x2a {
                return head.method == .options ? setTarget(bytes, target) : .badTarget
            }
            // Absolute form: the scheme and authority are taken off, and the authority must be the Host's.
            let scheme =
                ByteScan.equals(bytes, target.prefix(7), lowercased: "http://")
                ? 7 : ByteScan.equals(bytes, target.prefix(8), lowercased: "https://") ? 8 : 0
            guard scheme > 0 else { return .badTarget }
            var end = target.lowerBound &+ scheme
            while end < target.upperBound, ByteScan.isHost(bytes[end]) { end &+= 1 }
            guard end > target.lowerBound &+ scheme else { return .badTarget }
            guard end == target.upperBound || bytes[end] == 0x2f || bytes[end] == 0x3f else { return .badTarget }
            authority = (target.lowerBound &+ scheme)..<end
            rest = end..<target.upperBound
            if end < target.upperBound, bytes[end] == 0x3f { return .badTarget }
        }
        return setTarget(bytes, rest)
    }

    private mutating func setTarget(_ bytes: UnsafeRawBufferPointer, _ target: Range<Int>) -> HTTPRefusal? {
        head.targetRange = target
        var end = target.lowerBound
        while end < target.upperBound, bytes[end] != 0x3f { end &+= 1 }
        head.pathRange = target.lowerBound..<end
        return nil
    }

    private mutating func finish(_ bytes: UnsafeRawBufferPointer) -> HTTPRefusal? {
        let fields = head.fields
        guard fields.hosts <= 1 else { return .duplicateHost }
        guard let host = fields.host else { return .missingHost }
        let value = host.valueRange
        guard !value.isEmpty, value.allSatisfy({ ByteScan.isHost(bytes[$0]) }) else { return .badHost }
        if let authority {
            let isSame =
                authority.count == value.count
                && zip(authority, value).allSatisfy { ByteScan.lowercase(bytes[$0]) == ByteScan.lowercase(bytes[$1]) }
            guard isSame else { return .badTarget }
        }
        if let expectation = fields.expectation {
            guard ByteScan.equals(bytes, expectation.valueRange, lowercased: "100-continue") else {
                return .badExpectation
            }
            head.expectsContinue = true
        }
        return nil
    }

    private static func method(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> RequestHead.Method {
        if ByteScan.equals(bytes, range, exactly: "POST") { return .post }
        if ByteScan.equals(bytes, range, exactly: "GET") { return .get }
        if ByteScan.equals(bytes, range, exactly: "HEAD") { return .head }
        if ByteScan.equals(bytes, range, exactly: "PUT") { return .put }
        if ByteScan.equals(bytes, range, exactly: "DELETE") { return .delete }
        if ByteScan.equals(bytes, range, exactly: "OPTIONS") { return .options }
        if ByteScan.equals(bytes, range, exactly: "PATCH") { return .patch }
        return .other
    }
}
