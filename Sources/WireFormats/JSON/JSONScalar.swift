/// Reads scalars at known ranges of a JSON text. Tolerant: nil for what is not of the wanted kind.
package enum JSONScalar {
    /// A whole number, also spelled `100.0` or `1e2`; clamped to what `Int` holds. Nil for anything else.
    package static func integer(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        guard !range.isEmpty, range.count <= 64 else { return nil }
        var index = range.lowerBound
        let isNegative = bytes[index] == UInt8(ascii: "-")
        if isNegative { index += 1 }
        guard index < range.upperBound else { return nil }
        var value = 0
        while index < range.upperBound {
            let byte = bytes[index]
            guard byte >= 0x30, byte <= 0x39 else { return fromDouble(bytes, range) }
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int(byte &- 0x30))
            if overflow || carry { return isNegative ? Int.min : Int.max }
            value = sum
            index += 1
        }
        return isNegative ? -value : value
    }

    /// True only for the literal `true`.
    package static func isTrue(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        ByteSearch.equal(bytes, range, "true")
    }

    package static func isNull(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        ByteSearch.equal(bytes, range, "null")
    }

    /// A string's decoded text if `range` is a string of at most `limit` bytes; nil otherwise, also when it is broken.
    package static func text(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, limit: Int) -> String? {
        guard let inside = stringInside(bytes, range), inside.count <= limit else { return nil }
        return try? JSONString.string(bytes, inside)
    }

    /// Between the quotes of a delimited string value; nil when the value is something else.
    package static func stringInside(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int>? {
        guard range.count >= 2, bytes[range.lowerBound] == UInt8(ascii: "\"") else { return nil }
        return (range.lowerBound + 1)..<(range.upperBound - 1)
    }

    private static func fromDouble(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[range]), as: UTF8.self)
        // Swift also reads hexadecimal and words such as "inf".
        guard text.utf8.allSatisfy({ $0 >= 0x2B && $0 <= 0x39 || $0 | 0x20 == UInt8(ascii: "e") }),
            let value = Double(text), value.isFinite, value.rounded() == value
        else { return nil }
        if value >= 0x1p63 { return Int.max }
        if value < -0x1p63 { return Int.min }
        return Int(value)
    }
}

extension JSONScalar {
    /// A number of at most 15 digits and nothing else, which a `Double` holds exactly; nil otherwise.
    static func shortInteger(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int? {
        guard !range.isEmpty, range.count <= 15 else { return nil }
        var value = 0
        for index in range {
            let byte = bytes[index]
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }
}
