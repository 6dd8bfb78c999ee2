/// A 64-bit digest of a sequence of numbers that is the same in every process (Swift's `Hasher` is not).
///
/// For comparing runs, not for security: it has no key.
package struct StableDigest: Sendable, Equatable {
    package private(set) var value: UInt64 = 0x6e65_6170_0000_0001

    package init() {}

    package mutating func absorb(_ number: UInt64) {
        value = SeededGenerator.mix(value ^ number) &+ 0x9e37_79b9_7f4a_7c15
    }

    package mutating func absorb(_ number: Int) { absorb(UInt64(bitPattern: Int64(number))) }

    package mutating func absorb(_ instant: Instant) { absorb(UInt64(bitPattern: instant.nanoseconds)) }

    package mutating func absorb(_ text: String) {
        for byte in text.utf8 { absorb(UInt64(byte)) }
        absorb(text.utf8.count)
    }
}
