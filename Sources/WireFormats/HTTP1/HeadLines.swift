/// Where a head parser stands after it has seen some bytes.
package enum HeadProgress: Sendable, Equatable {
    /// The head does not end in these bytes. Call again with the same bytes and more behind them.
    case incomplete
    /// The head ends before this offset.
    case complete(Int)
    case refused(HTTPRefusal)
}

/// Cuts a growing head into CRLF-ended lines, remembering what it has seen, so that bytes may arrive in any cuts.
struct HeadLines: Sendable {
    enum Line {
        case line(Range<Int>)
        case incomplete
        case refused(HTTPRefusal)
    }

    /// Offset of the first byte of the line that comes next.
    private(set) var next = 0
    private var searched = 0

    mutating func reset() {
        next = 0
        searched = 0
    }

    /// The next line without its CRLF. `limit` is for this line, `headLimit` for everything up to its end.
    mutating func take(
        _ bytes: UnsafeRawBufferPointer, limit: Int, headLimit: Int, tooLong: HTTPRefusal
    ) -> Line {
        guard let feed = ByteScan.lineFeed(in: bytes, from: searched) else {
            searched = bytes.count
            if bytes.count &- next > limit &+ 1 { return .refused(tooLong) }
            return bytes.count > headLimit ? .refused(.headTooLarge) : .incomplete
        }
        // Lengths first, as above, so that the answer does not depend on how the bytes were cut.
        if feed &- next > limit &+ 1 { return .refused(tooLong) }
        if feed >= headLimit { return .refused(.headTooLarge) }
        guard feed > next, bytes[feed &- 1] == 0x0d else { return .refused(.bareLineFeed) }
        let line = next..<(feed &- 1)
        next = feed &+ 1
        searched = next
        return .line(line)
    }
}
