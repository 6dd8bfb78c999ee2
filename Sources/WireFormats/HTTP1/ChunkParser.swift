/// Parses the chunked transfer coding (RFC 9112 §7.1) over bytes that may be cut anywhere, keeping none of them.
///
/// ```
/// size → extension? → sizeEnd → data → dataEnd → size …
/// size (0) → … → trailerStart → trailer … → end → done
/// ```
/// Anything else is refused: no white space around the size, no bare CR or LF, bounded digits, extensions and trailers.
package struct ChunkParser: Sendable {
    package enum Step: Sendable, Equatable {
        /// These bytes are body.
        case data(Range<Int>)
        /// Everything given was taken; the body goes on.
        case needMore
        /// The body ended before this offset.
        case end(Int)
        case refused(HTTPRefusal)
    }

    private enum State: UInt8 {
        case size
        case extensions
        case sizeFeed
        case data
        case dataReturn
        case dataFeed
        case trailerStart
        case trailerName
        case trailerValue
        case trailerFeed
        case endFeed
        case done
    }

    private let extensionLimit: Int
    private let trailerLimit: Int
    private var state = State.size
    private var digits = 0
    /// Bytes of the current chunk that are still to come.
    package private(set) var remaining = 0
    /// Bytes of the current chunk's extensions, or of all trailers.
    private var counted = 0

    package init(limits: HTTPLimits) {
        extensionLimit = limits.chunkExtensionBytes
        trailerLimit = limits.trailerBytes
    }

    /// Ready for the next body.
    package mutating func reset() {
        state = .size
        digits = 0
        remaining = 0
        counted = 0
    }

    /// Takes bytes from `position` on and moves it behind what was taken. Call until it does not return `data`.
    package mutating func next(_ bytes: UnsafeRawBufferPointer, at position: inout Int) -> Step {
        while position < bytes.count {
            if state == .data { return takeData(bytes, at: &position) }
            let byte = bytes[position]
            position &+= 1
            switch state {
            case .size, .extensions, .sizeFeed:
                if let refusal = takeSizeLine(byte) { return .refused(refusal) }
            case .dataReturn:
                guard byte == 0x0d else { return .refused(.badChunk) }
                state = .dataFeed
            case .dataFeed:
                guard byte == 0x0a else { return .refused(.badChunk) }
                state = .size
                digits = 0
            case .trailerStart, .trailerName, .trailerValue, .trailerFeed:
                if let refusal = takeTrailer(byte) { return .refused(refusal) }
            case .endFeed:
                guard byte == 0x0a else { return .refused(.badChunk) }
                state = .done
                return .end(position)
            case .done, .data: return .end(position &- 1)
            }
        }
        return state == .done ? .end(position) : .needMore
    }

    private mutating func takeData(_ bytes: UnsafeRawBufferPointer, at position: inout Int) -> Step {
        let end = position &+ min(remaining, bytes.count &- position)
        let range = position..<end
        remaining &-= range.count
        position = end
        if remaining == 0 { state = .dataReturn }
        return .data(range)
    }

    private mutating func takeSizeLine(_ byte: UInt8) -> HTTPRefusal? {
        switch state {
        case .size:
            if let value = ByteScan.hexValue(byte) {
                // 15 digits cannot overflow; leading zeros count too, so that a line is bounded.
                guard digits < 15 else { return .badChunk }
                remaining = digits == 0 ? Int(value) : remaining &<< 4 | Int(value)
                digits &+= 1
                return nil
            }
            guard digits > 0 else { return .badChunk }
            counted = 0
            if byte == 0x0d {
                state = .sizeFeed
            } else if byte == 0x3b {
                state = .extensions
            } else {
                return .badChunk
            }
        case .extensions:
            if byte == 0x0d {
                state = .sizeFeed
                return nil
            }
            counted &+= 1
            guard ByteScan.isFieldValue(byte), counted <= extensionLimit else { return .badChunk }
        default:
            guard byte == 0x0a else { return .badChunk }
            counted = 0
            state = remaining == 0 ? .trailerStart : .data
        }
        return nil
    }

    private mutating func takeTrailer(_ byte: UInt8) -> HTTPRefusal? {
        counted &+= 1
        if counted > trailerLimit { return .trailersTooLarge }
        switch state {
        case .trailerStart:
            if byte == 0x0d {
                state = .endFeed
            } else if byte == 0x20 || byte == 0x09 {
                return .obsoleteFolding
            } else {
                guard ByteScan.isToken(byte) else { return .badFieldName }
                state = .trailerName
            }
        case .trailerName:
            if byte == 0x3a {
                state = .trailerValue
            } else if !ByteScan.isToken(byte) {
                return .badFieldName
            }
        case .trailerValue:
            if byte == 0x0d {
                state = .trailerFeed
            } else if !ByteScan.isFieldValue(byte) {
                return byte == 0x0a ? .bareLineFeed : .badFieldValue
            }
        default:
            guard byte == 0x0a else { return .badFieldValue }
            state = .trailerStart
        }
        return nil
    }
}
