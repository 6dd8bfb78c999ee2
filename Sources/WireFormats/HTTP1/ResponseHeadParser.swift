/// Parses response heads of engines, as strictly as requests: a wrong length here mixes two clients' answers.
///
/// States: status line → field lines → complete, or refused from anywhere. `reset` starts the next head.
package struct ResponseHeadParser: Sendable {
    private enum State {
        case statusLine
        case fieldLines
    }

    package let limits: HTTPLimits
    package private(set) var head = ResponseHead()
    private var state = State.statusLine
    private var lines = HeadLines()

    package init(limits: HTTPLimits) { self.limits = limits }

    /// Ready for the next head, keeping its memory.
    package mutating func reset() {
        head.reset()
        state = .statusLine
        lines.reset()
    }

    /// `bytes` start at the first byte of the head, at every call, and grow between calls.
    package mutating func parse(_ bytes: UnsafeRawBufferPointer) -> HeadProgress {
        while true {
            let line = lines.take(
                bytes, limit: limits.fieldLineBytes, headLimit: limits.headBytes,
                tooLong: state == .statusLine ? .badStatusLine : .fieldLineTooLong)
            switch line {
            case .incomplete: return .incomplete
            case .refused(let refusal): return .refused(refusal)
            case .line(let range):
                if state == .statusLine {
                    if let refusal = takeStatusLine(bytes, range) { return .refused(refusal) }
                    state = .fieldLines
                } else if range.isEmpty {
                    if head.isHTTP10 && head.fields.isChunked { return .refused(.badTransferCoding) }
                    return .complete(lines.next)
                } else {
                    if let refusal = head.fields.add(bytes, line: range, limits: limits) { return .refused(refusal) }
                }
            }
        }
    }

    private mutating func takeStatusLine(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) -> HTTPRefusal? {
        let start = line.lowerBound
        guard line.count >= 12 else { return .badStatusLine }
        if ByteScan.equals(bytes, start..<(start &+ 9), exactly: "HTTP/1.0 ") {
            head.isHTTP10 = true
        } else if !ByteScan.equals(bytes, start..<(start &+ 9), exactly: "HTTP/1.1 ") {
            return .badStatusLine
        }
        guard let status = HeaderFields.decimal(bytes, (start &+ 9)..<(start &+ 12)), (100...599).contains(status)
        else { return .badStatusLine }
        head.status = status
        guard line.count > 12 else { return nil }
        let reason = (start &+ 13)..<line.upperBound
        guard bytes[start &+ 12] == 0x20, ByteScan.isFieldValue(bytes, reason) else { return .badStatusLine }
        head.reasonRange = reason
        return nil
    }
}
