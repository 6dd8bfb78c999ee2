/// Keeps what is needed of an unstreamed answer that passes in pieces, to scan it at its end.
///
/// Up to `wholeLimit` bytes it keeps the whole answer; of a longer one only the last `tailLimit` to twice that.
package struct AnswerTail: Sendable {
    private var kept: [UInt8] = []
    private var isWhole = true
    package let wholeLimit: Int
    package let tailLimit: Int

    package init(wholeLimit: Int = 65_536, tailLimit: Int = 8_192) {
        self.wholeLimit = max(wholeLimit, 2 * tailLimit)
        self.tailLimit = tailLimit
    }

    /// The next bytes of the answer's payload.
    package mutating func observe(_ bytes: UnsafeRawBufferPointer) {
        if isWhole, kept.count + bytes.count <= wholeLimit {
            kept.append(contentsOf: bytes)
            return
        }
        isWhole = false
        if bytes.count >= tailLimit {
            kept.removeAll(keepingCapacity: true)
            kept.append(contentsOf: bytes.suffix(tailLimit))
            return
        }
        if kept.count + bytes.count > 2 * tailLimit { kept.removeFirst(max(0, kept.count - tailLimit)) }
        kept.append(contentsOf: bytes)
    }

    /// What the answer said. Call at its end.
    package func scan() -> AnswerScan {
        kept.withUnsafeBytes { isWhole ? AnswerScan(whole: $0) : AnswerScan(tail: $0) }
    }
}
