/// Character classes of RFC 9110 §5.6.2 and searches over raw bytes, eight at a time where that pays.
package enum ByteScan {
    /// Bit n of the first word: byte n; of the second: byte 64 + n. Set for `tchar`.
    private static let tokenLow: UInt64 = 0x03ff_6cfa_0000_0000
    private static let tokenHigh: UInt64 = 0x57ff_ffff_c7ff_fffe

    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        if byte < 64 { return tokenLow &>> UInt64(byte) & 1 == 1 }
        if byte < 128 { return tokenHigh &>> UInt64(byte &- 64) & 1 == 1 }
        return false
    }

    /// VCHAR, SP, HTAB and obs-text: what a field value may hold.
    @inline(__always)
    static func isFieldValue(_ byte: UInt8) -> Bool { (byte >= 0x20 && byte != 0x7f) || byte == 0x09 }

    /// What a request target may hold: visible ASCII but `#` (a fragment never travels).
    @inline(__always)
    static func isTarget(_ byte: UInt8) -> Bool { byte > 0x20 && byte < 0x7f && byte != 0x23 }

    @inline(__always)
    static func isHost(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        // - . : [ ] _ ~ % and ! for zone ids and odd but harmless names
        case 0x2d, 0x2e, 0x3a, 0x5b, 0x5d, 0x5f, 0x7e, 0x25: true
        default: false
        }
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x41...0x46: byte &- 0x37
        case 0x61...0x66: byte &- 0x57
        default: nil
        }
    }

    /// The first LF at or after `start`, or nil.
    static func lineFeed(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        var index = start
        let lines: UInt64 = 0x0a0a_0a0a_0a0a_0a0a
        while index &+ 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian ^ lines
            let hit = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
            // The lowest set bit is exact: a borrow can only mark bytes above a true hit.
            if hit != 0 { return index &+ hit.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < bytes.count {
            if bytes[index] == 0x0a { return index }
            index &+= 1
        }
        return nil
    }

    /// True when every byte of the range may stand in a field value.
    static func isFieldValue(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        while index &+ 8 <= range.upperBound {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            // High bit set where a byte is below 0x20 or is 0x7f; obs-text bytes have been masked out.
            let below = (word &- 0x2020_2020_2020_2020) & ~word
            let delete = word ^ 0x7f7f_7f7f_7f7f_7f7f
            let isDelete = (delete &- 0x0101_0101_0101_0101) & ~delete
            if (below | isDelete) & 0x8080_8080_8080_8080 != 0 {
                for offset in 0..<8 where !isFieldValue(bytes[index &+ offset]) { return false }
            }
            index &+= 8
        }
        while index < range.upperBound {
            if !isFieldValue(bytes[index]) { return false }
            index &+= 1
        }
        return true
    }

    /// ASCII case-insensitive comparison with a lower-case literal.
    @inline(__always)
    package static func equals(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, lowercased literal: StaticString
    ) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        let start = literal.utf8Start
        for offset in 0..<range.count where lowercase(bytes[range.lowerBound &+ offset]) != start[offset] {
            return false
        }
        return true
    }

    /// Whether a field name is this lower-case literal of letters and hyphens, letters of either case; eight bytes at
    /// a time. Every byte of the range must be a `tchar`: of these only letters become one of the literal's bytes by
    /// setting bit 5, so that folding all bytes is exact.
    @inline(__always)
    static func isName(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ literal: StaticString) -> Bool {
        let length = literal.utf8CodeUnitCount
        guard range.count == length else { return false }
        guard length >= 8 else { return equals(bytes, range, lowercased: literal) }
        let text = UnsafeRawPointer(literal.utf8Start)
        var offset = 0
        while true {
            let word = bytes.loadUnaligned(fromByteOffset: range.lowerBound &+ offset, as: UInt64.self)
            let wanted = text.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if word | 0x2020_2020_2020_2020 != wanted { return false }
            if offset &+ 8 >= length { return true }
            // The last word overlaps the one before.
            offset = min(offset &+ 8, length &- 8)
        }
    }

    /// Byte for byte comparison with a literal.
    @inline(__always)
    static func equals(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, exactly literal: StaticString) -> Bool {
        guard range.count == literal.utf8CodeUnitCount else { return false }
        let start = literal.utf8Start
        for offset in 0..<range.count where bytes[range.lowerBound &+ offset] != start[offset] { return false }
        return true
    }

    @inline(__always)
    package static func lowercase(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// The range without spaces and tabs at its ends.
    @inline(__always)
    package static func trimmed(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Range<Int> {
        var low = range.lowerBound
        var high = range.upperBound
        while low < high, bytes[low] == 0x20 || bytes[low] == 0x09 { low &+= 1 }
        while low < high, bytes[high &- 1] == 0x20 || bytes[high &- 1] == 0x09 { high &-= 1 }
        return low..<high
    }
}
