extension ByteText {
    /// A JSON string with its quotes. `limitBytes` cuts what a client chose; a cut falls between characters.
    package mutating func append(quoted text: String, limitBytes: Int = 512) {
        append(UInt8(ascii: "\""))
        var text = text
        if text.utf8.count > limitBytes { text = ByteText.prefix(of: text, limitBytes: limitBytes) }
        text.withUTF8 { bytes in
            let raw = UnsafeRawBufferPointer(bytes)
            if ByteText.needsEscape(raw) {
                for byte in raw { append(escaped: byte) }
            } else {
                append(bytes: raw)
            }
        }
        append(UInt8(ascii: "\""))
    }

    /// A duration given in nanoseconds as milliseconds with three decimals; a negative one as 0.
    package mutating func append(milliseconds nanoseconds: Int64) {
        let microseconds = Int(max(0, nanoseconds) / 1000)
        append(decimal: microseconds / 1000)
        append(UInt8(ascii: "."))
        append(padded: microseconds % 1000, digits: 3)
    }

    private mutating func append(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            append(UInt8(ascii: "\\"))
            append(byte)
        case 0..<0x20, 0x7f:
            append("\\u00")
            let digits = HexDigits.of(UInt32(byte)).littleEndian
            append(UInt8(truncatingIfNeeded: digits &>> 48))
            append(UInt8(truncatingIfNeeded: digits &>> 56))
        default: append(byte)
        }
    }

    /// Whether a byte is a control character, a quote or a backslash; eight bytes at a time.
    private static func needsEscape(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var index = 0
        while index &+ 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            let below = (word &- ones &* 0x20) & ~word
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5c)
            let delete = word ^ (ones &* 0x7f)
            let marks =
                below | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash) | ((delete &- ones) & ~delete)
            // A borrow may mark a byte too many, above one that is marked rightly: escaping then finds nothing to do.
            if marks & tops != 0 { return true }
            index &+= 8
        }
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x20 || byte == 0x22 || byte == 0x5c || byte == 0x7f { return true }
            index &+= 1
        }
        return false
    }

    private static func prefix(of text: String, limitBytes: Int) -> String {
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: limitBytes)
        while String.Index(end, within: text) == nil, end > text.utf8.startIndex { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
