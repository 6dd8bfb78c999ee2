/// Takes the escapes out of JSON strings.
package enum JSONString {
    /// What becomes of half a surrogate pair, which no UTF-8 text can hold.
    package enum Surrogates: Sendable {
        case refuse
        /// U+FFFD takes its place.
        case replace
    }

    /// The UTF-8 of the string whose inside (between the quotes) is `bytes[range]`. Unescaped bytes are copied as
    /// they are. Throws at an escape that JSON does not know.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, surrogates: Surrogates = .refuse
    ) throws(ScanFailure) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            let next =
                ByteSearch.first(UInt8(ascii: "\\"), in: bytes, from: index, end: range.upperBound) ?? range.upperBound
            text.append(contentsOf: bytes[index..<next])
            index = next
            guard index < range.upperBound else { break }
            guard index + 1 < range.upperBound else { throw badEscape(index) }
            if let plain = simpleEscape(bytes[index + 1]) {
                text.append(plain)
                index += 2
            } else {
                index = try decodeUnicode(bytes, index..<range.upperBound, surrogates, &text)
            }
        }
        return text
    }

    /// The string whose inside is `bytes[range]`. Throws at a bad escape, half a surrogate pair, or broken UTF-8.
    package static func string(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws(ScanFailure) -> String {
        let hasEscape =
            ByteSearch.first(UInt8(ascii: "\\"), in: bytes, from: range.lowerBound, end: range.upperBound) != nil
        let text =
            hasEscape
            ? try decode(bytes, range).withUnsafeBytes { checked($0) }
            : checked(UnsafeRawBufferPointer(rebasing: bytes[range]))
        guard let text else { throw ScanFailure(.invalidUTF8, at: range.lowerBound, "a string that is not UTF-8") }
        return text
    }

    /// Nil when the bytes are not UTF-8. The library's `String(validating:as:)` is generic code that costs ten times this.
    private static func checked(_ bytes: UnsafeRawBufferPointer) -> String? {
        UTF8Check.firstFault(in: bytes) == nil ? String(decoding: bytes, as: UTF8.self) : nil
    }

    private static func badEscape(_ index: Int) -> ScanFailure {
        ScanFailure(.invalidJSON, at: index, "an escape that JSON does not know")
    }

    private static func simpleEscape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return byte
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        default: return nil
        }
    }

    /// Decodes a `\u` escape, or a pair of them, at the start of `range`; the index after it.
    private static func decodeUnicode(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ surrogates: Surrogates, _ text: inout [UInt8]
    ) throws(ScanFailure) -> Int {
        let start = range.lowerBound
        guard let unit = codeUnit(bytes, range) else { throw badEscape(start) }
        if let scalar = UnicodeScalar(UInt32(unit)) {
            append(scalar, to: &text)
            return start + 6
        }
        let isHigh = unit < 0xDC00
        if isHigh, let low = codeUnit(bytes, (start + 6)..<max(start + 6, range.upperBound)), low >= 0xDC00,
            low < 0xE000,
            let scalar = UnicodeScalar(0x10000 + (UInt32(unit - 0xD800) << 10) + UInt32(low - 0xDC00))
        {
            append(scalar, to: &text)
            return start + 12
        }
        guard surrogates == .replace else {
            throw ScanFailure(.invalidUTF8, at: start, "half a surrogate pair")
        }
        text.append(contentsOf: [0xEF, 0xBF, 0xBD])
        return start + 6
    }

    private static func append(_ scalar: UnicodeScalar, to text: inout [UInt8]) {
        if let encoded = UTF8.encode(scalar) { text.append(contentsOf: encoded) }
    }

    private static func codeUnit(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> UInt16? {
        guard range.count >= 6, bytes[range.lowerBound] == UInt8(ascii: "\\"),
            bytes[range.lowerBound + 1] == UInt8(ascii: "u")
        else { return nil }
        var unit: UInt16 = 0
        for index in (range.lowerBound + 2)..<(range.lowerBound + 6) {
            guard let digit = hexDigit(bytes[index]) else { return nil }
            unit = unit << 4 | digit
        }
        return unit
    }

    private static func hexDigit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): return UInt16(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): return UInt16(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): return UInt16(byte - UInt8(ascii: "A")) + 10
        default: return nil
        }
    }
}
