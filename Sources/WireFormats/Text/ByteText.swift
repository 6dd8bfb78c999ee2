#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Text that is put together from many short pieces, as bytes in memory of its own that is used again and again.
///
/// Message heads and log lines have twenty pieces of some ten bytes each. An array or a `ByteBuffer` checks for each of
/// them whether it is shared, where it may grow and who else writes; that costs several times the copying. Therefore the
/// raw pointer, which nothing outside can reach: every write makes room first, and the one owner frees it.
// Safe because the pointer is private and a value that cannot be copied has one owner at a time.
package struct ByteText: ~Copyable, @unchecked Sendable {
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    package private(set) var count = 0

    /// `capacity` in bytes; it grows as needed.
    package init(capacity: Int = 256) {
        self.capacity = max(32, capacity)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    package var isEmpty: Bool { count == 0 }

    /// Forgets the text and keeps the memory.
    @inline(__always)
    package mutating func removeAll() { count = 0 }

    /// The text; valid during the call only.
    @inline(__always)
    package borrowing func withUnsafeBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(UnsafeRawBufferPointer(start: base, count: count))
    }

    @inline(__always)
    private mutating func makeRoom(_ more: Int) {
        if capacity &- count < more { grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        precondition(more >= 0 && more <= Int.max / 4 && count <= Int.max / 4, "a text of \(count) + \(more) bytes")
        let larger = max(2 * capacity, count + more)
        let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        fresh.update(from: base, count: count)
        base.deallocate()
        base = fresh
        capacity = larger
    }

    @inline(__always)
    private mutating func copy(_ source: UnsafeRawPointer, _ length: Int) {
        makeRoom(length)
        memcpy(base + count, source, length)
        count &+= length
    }

    // MARK: Pieces

    @inline(__always)
    package mutating func append(_ byte: UInt8) {
        makeRoom(1)
        base[count] = byte
        count &+= 1
    }

    @inline(__always)
    package mutating func append(_ text: StaticString) { copy(text.utf8Start, text.utf8CodeUnitCount) }

    package mutating func append(bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        copy(start, bytes.count)
    }

    package mutating func append(bytes: [UInt8]) { bytes.withUnsafeBytes { append(bytes: $0) } }

    package mutating func append(string: String) {
        var string = string
        string.withUTF8 { append(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Decimal digits.
    package mutating func append(decimal value: Int) {
        if value < 0 { append(UInt8(ascii: "-")) }
        let number = value.magnitude
        var digits = 1
        var bound: UInt = 10
        while digits < 20, number >= bound {
            digits &+= 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            bound = overflow ? .max : next
        }
        append(number, digits: digits)
    }

    /// The last `digits` decimal digits of a value that is not negative.
    package mutating func append(padded value: Int, digits: Int) {
        precondition(value >= 0 && (1...20).contains(digits), "\(digits) digits of \(value)")
        append(value.magnitude, digits: digits)
    }

    @inline(__always)
    private mutating func append(_ number: UInt, digits: Int) {
        makeRoom(digits)
        var rest = number
        var place = count &+ digits
        while place > count {
            place &-= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            base[place] = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            rest = quotient
        }
        count &+= digits
    }

    /// Sixteen hexadecimal digits.
    package mutating func append(hexadecimal value: UInt64) {
        makeRoom(16)
        UnsafeMutableRawPointer(base + count).storeBytes(
            of: HexDigits.of(UInt32(truncatingIfNeeded: value &>> 32)), as: UInt64.self)
        UnsafeMutableRawPointer(base + count + 8).storeBytes(
            of: HexDigits.of(UInt32(truncatingIfNeeded: value)), as: UInt64.self)
        count &+= 16
    }
}
