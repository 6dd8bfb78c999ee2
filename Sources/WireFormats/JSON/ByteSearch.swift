#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Searches in raw bytes. The C library's `memchr` and `memcmp` are the fastest there are and touch nothing else.
package enum ByteSearch {
    /// Index of the first `byte` in `bytes[from..<end]`, or nil. `from` and `end` must lie within the buffer.
    @inline(__always)
    package static func first(
        _ byte: UInt8, in bytes: UnsafeRawBufferPointer, from: Int, end: Int
    ) -> Int? {
        guard from < end, let base = bytes.baseAddress else { return nil }
        guard let hit = memchr(base + from, Int32(byte), end - from) else { return nil }
        return UnsafeRawPointer(hit) - base
    }

    /// Whether `bytes[range]` is exactly this ASCII text. `range` must lie within the buffer.
    @inline(__always)
    package static func equal(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ text: StaticString) -> Bool {
        guard range.count == text.utf8CodeUnitCount, let base = bytes.baseAddress else {
            return range.isEmpty && text.utf8CodeUnitCount == 0
        }
        return memcmp(base + range.lowerBound, text.utf8Start, range.count) == 0
    }

    /// Whether `bytes[range]` and `others` are the same. `range` must lie within the buffer.
    package static func equal(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, to others: UnsafeRawBufferPointer
    ) -> Bool {
        guard range.count == others.count, let base = bytes.baseAddress, let start = others.baseAddress else {
            return range.isEmpty && others.isEmpty
        }
        return memcmp(base + range.lowerBound, start, range.count) == 0
    }

    /// Whether `bytes[range]` begins with this ASCII text.
    @inline(__always)
    package static func hasPrefix(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard range.count >= length, let base = bytes.baseAddress else { return length == 0 }
        return memcmp(base + range.lowerBound, text.utf8Start, length) == 0
    }

    /// Whether `bytes[range]` ends with this ASCII text.
    package static func hasSuffix(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ text: StaticString) -> Bool {
        let length = text.utf8CodeUnitCount
        guard range.count >= length else { return false }
        return equal(bytes, (range.upperBound - length)..<range.upperBound, text)
    }

    /// Whether `bytes[range]` holds this lower-case ASCII text, letters of either case. For short ranges.
    package static func containsIgnoringCase(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ text: StaticString
    ) -> Bool {
        let length = text.utf8CodeUnitCount
        guard length > 0, range.count >= length else { return length == 0 }
        var start = range.lowerBound
        while start <= range.upperBound - length {
            var matched = 0
            while matched < length, lowercased(bytes[start + matched]) == text.utf8Start[matched] { matched += 1 }
            if matched == length { return true }
            start += 1
        }
        return false
    }

    /// Start of the last occurrence of this ASCII text in `bytes[range]`, or nil.
    package static func last(
        _ text: StaticString, in bytes: UnsafeRawBufferPointer, _ range: Range<Int>
    ) -> Int? {
        let length = text.utf8CodeUnitCount
        guard length > 0, range.count >= length else { return nil }
        var start = range.upperBound - length
        while start >= range.lowerBound {
            if bytes[start] == text.utf8Start[0], equal(bytes, start..<(start + length), text) { return start }
            start -= 1
        }
        return nil
    }

    /// The number of `byte` in `bytes[range]`.
    package static func count(_ byte: UInt8, in bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var total = 0
        var index = range.lowerBound
        while index + 8 <= range.upperBound {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ (ones &* UInt64(byte))
            // The top bit of every byte that is not zero, without borrows between bytes.
            let others = ((word & (ones &* 0x7F)) &+ (ones &* 0x7F)) | word
            total &+= 8 &- (others & (ones &* 0x80)).nonzeroBitCount
            index += 8
        }
        while index < range.upperBound {
            if bytes[index] == byte { total &+= 1 }
            index += 1
        }
        return total
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }
}
