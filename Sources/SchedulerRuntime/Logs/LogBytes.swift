/// JSON pieces written straight into a log buffer: no intermediate strings on the way of a line.
extension [UInt8] {
    /// Appends `value` as decimal digits.
    mutating func append(decimal value: Int) {
        if value < 0 {
            append(UInt8(ascii: "-"))
            return append(decimal: value.magnitude)
        }
        append(decimal: value.magnitude)
    }

    mutating func append(decimal value: UInt) {
        var divisor: UInt = 1
        while value / divisor >= 10 { divisor *= 10 }
        var rest = value
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(rest / divisor))
            rest %= divisor
            divisor /= 10
        }
    }

    /// Appends the last `digits` decimal digits of a value that is not negative.
    mutating func append(padded value: Int, digits: Int) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }

    /// Appends a duration given in nanoseconds as milliseconds with three decimals; a negative one as 0.
    mutating func append(milliseconds nanoseconds: Int64) {
        let microseconds = Int(Swift.max(0, nanoseconds) / 1000)
        append(decimal: microseconds / 1000)
        append(UInt8(ascii: "."))
        append(padded: microseconds % 1000, digits: 3)
    }

    /// Appends sixteen hexadecimal digits.
    mutating func append(hexadecimal value: UInt64) {
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8(truncatingIfNeeded: (value >> UInt64(shift)) & 15)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }

    mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Appends `text` as a JSON string with its quotes. `limitBytes` cuts what a client chose; a cut falls between characters.
    mutating func append(quoted text: String, limitBytes: Int = 512) {
        append(UInt8(ascii: "\""))
        var text = text
        if text.utf8.count > limitBytes { text = LogBytes.prefix(of: text, limitBytes: limitBytes) }
        text.withUTF8 { bytes in
            if LogBytes.needsEscape(bytes) {
                for byte in bytes { append(escaped: byte) }
            } else {
                append(contentsOf: bytes)
            }
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func append(escaped byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            append(UInt8(ascii: "\\"))
            append(byte)
        case 0..<0x20, 0x7f:
            append("\\u00" as StaticString)
            append(LogBytes.hexadecimal[Int(byte >> 4)])
            append(LogBytes.hexadecimal[Int(byte & 15)])
        default: append(byte)
        }
    }
}

private enum LogBytes {
    static let hexadecimal = Array("0123456789abcdef".utf8)

    static func needsEscape(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        bytes.contains { $0 < 0x20 || $0 == 0x22 || $0 == 0x5c || $0 == 0x7f }
    }

    static func prefix(of text: String, limitBytes: Int) -> String {
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: limitBytes)
        while String.Index(end, within: text) == nil, end > text.utf8.startIndex { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
