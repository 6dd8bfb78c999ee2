/// An incremental `multipart/form-data` reader (RFC 2046 §5.1, RFC 7578).
///
/// Holds no part content: what it cannot decide yet is always a beginning of the delimiter, so it is only counted.
/// Memory is one part's headers. The same body gives the same parts wherever it is cut.
package struct MultipartParser: Sendable {
    private enum State: Sendable, Equatable {
        /// Before the first delimiter; the bytes there are dropped.
        case preamble
        /// Right after a delimiter: `--`, or blanks and CR LF, must follow.
        case afterDelimiter(DelimiterEnd)
        case headers
        case content
        /// After the closing delimiter; the bytes there are dropped.
        case epilogue
    }

    private enum DelimiterEnd: Sendable { case start, dash, blank, carriageReturn }

    private var state = State.preamble
    /// CR LF `--` boundary.
    private let delimiter: [UInt8]
    /// Bytes of `delimiter` matched so far. At the body's start the CR LF counts as seen.
    private var matched = 2
    private var headerBytes: [UInt8] = []
    private var dropped = 0
    private var parts = 0
    private let limits: MultipartLimits

    package init(boundary: MultipartBoundary, limits: MultipartLimits = MultipartLimits()) {
        delimiter = Array("\r\n--".utf8) + boundary.bytes
        self.limits = limits
    }

    /// Takes the body's next bytes and appends what they say, in order.
    ///
    /// After an error the parser must not be used again.
    package mutating func consume(
        _ bytes: UnsafeRawBufferPointer, events: inout [MultipartEvent]
    ) throws(MultipartError) {
        var index = 0
        while index < bytes.count {
            switch state {
            case .preamble, .content: try search(bytes, &index, &events)
            case .afterDelimiter(let end): try afterDelimiter(end, bytes[index], &index, &events)
            case .headers: try readHeaders(bytes, &index, &events)
            case .epilogue:
                dropped += bytes.count - index
                index = bytes.count
                if dropped > limits.epilogueBytes { throw .epilogueTooLong(limit: limits.epilogueBytes) }
            }
        }
    }

    /// Must be called when the body ended. Throws `truncated` unless the closing delimiter was seen.
    package func finish() throws(MultipartError) {
        // A body may end right after the closing `--`.
        guard state == .epilogue else { throw .truncated }
    }

    /// Looks for the delimiter from `index` on and reports the content before it.
    private mutating func search(
        _ bytes: UnsafeRawBufferPointer, _ index: inout Int, _ events: inout [MultipartEvent]
    ) throws(MultipartError) {
        var contentStart = index
        while index < bytes.count {
            if matched == 0 {
                guard let carriageReturn = nextCarriageReturn(bytes, from: index) else {
                    index = bytes.count
                    break
                }
                try emit(contentStart..<carriageReturn, &events)
                index = carriageReturn + 1
                contentStart = index
                matched = 1
                continue
            }
            if bytes[index] == delimiter[matched] {
                matched += 1
                index += 1
                contentStart = index
                if matched == delimiter.count { return delimiterFound(&events) }
                continue
            }
            // The delimiter holds one CR, its first byte, so a failed match can only begin again at this byte.
            try emitHeld(&events)
            contentStart = index
        }
        try emit(contentStart..<index, &events)
    }

    private func nextCarriageReturn(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var index = start
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\r") { return index }
            index += 1
        }
        return nil
    }

    private mutating func delimiterFound(_ events: inout [MultipartEvent]) {
        if state == .content { events.append(.partEnded) }
        matched = 0
        state = .afterDelimiter(.start)
    }

    private mutating func emit(_ range: Range<Int>, _ events: inout [MultipartEvent]) throws(MultipartError) {
        if range.isEmpty { return }
        if state == .content {
            events.append(.content(range))
        } else {
            try drop(range.count)
        }
    }

    /// The matched beginning of a delimiter was content after all.
    private mutating func emitHeld(_ events: inout [MultipartEvent]) throws(MultipartError) {
        if state == .content {
            events.append(.held(Array(delimiter[..<matched])))
        } else {
            try drop(matched)
        }
        matched = 0
    }

    private mutating func drop(_ count: Int) throws(MultipartError) {
        dropped += count
        if dropped > limits.preambleBytes { throw .preambleTooLong(limit: limits.preambleBytes) }
    }

    private mutating func afterDelimiter(
        _ end: DelimiterEnd, _ byte: UInt8, _ index: inout Int, _ events: inout [MultipartEvent]
    ) throws(MultipartError) {
        index += 1
        switch (end, byte) {
        case (.start, UInt8(ascii: "-")): state = .afterDelimiter(.dash)
        case (.dash, UInt8(ascii: "-")):
            dropped = 0
            state = .epilogue
            events.append(.ended)
        case (.start, UInt8(ascii: " ")), (.start, UInt8(ascii: "\t")), (.blank, UInt8(ascii: " ")),
            (.blank, UInt8(ascii: "\t")):
            state = .afterDelimiter(.blank)
            dropped += 1
            if dropped > limits.preambleBytes { throw .badDelimiter }
        case (.start, UInt8(ascii: "\r")), (.blank, UInt8(ascii: "\r")): state = .afterDelimiter(.carriageReturn)
        case (.carriageReturn, UInt8(ascii: "\n")):
            parts += 1
            if parts > limits.parts { throw .tooManyParts(limit: limits.parts) }
            headerBytes.removeAll(keepingCapacity: true)
            state = .headers
        default: throw .badDelimiter
        }
    }

    /// Gathers header lines until the empty one.
    private mutating func readHeaders(
        _ bytes: UnsafeRawBufferPointer, _ index: inout Int, _ events: inout [MultipartEvent]
    ) throws(MultipartError) {
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "\n"), headerBytes.last != UInt8(ascii: "\r") {
                throw .badPartHeader("a line does not end in CR LF")
            }
            headerBytes.append(bytes[index])
            index += 1
            if headerBytes.count > limits.partHeaderBytes {
                throw .partHeadersTooLong(limit: limits.partHeaderBytes)
            }
            let endsHeaders =
                headerBytes.count == 2 ? headerBytes == [13, 10] : headerBytes.suffix(4) == [13, 10, 13, 10]
            if endsHeaders {
                events.append(.partBegan(try MultipartPart(headerLines: headerBytes.dropLast(), limits: limits)))
                state = .content
                // The empty line's CR LF belongs to the headers, so a delimiter needs one of its own even in an empty part.
                matched = 0
                return
            }
        }
    }
}

/// What a `MultipartParser` read.
package enum MultipartEvent: Sendable, Equatable {
    case partBegan(MultipartPart)
    /// Content of the current part: these offsets of the bytes just given.
    case content(Range<Int>)
    /// Content of the current part that earlier bytes held back, because it could have been a delimiter's beginning.
    case held([UInt8])
    case partEnded
    /// The closing delimiter was read.
    case ended
}
