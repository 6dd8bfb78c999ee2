/// Hexadecimal digits, eight at a time.
package enum HexDigits {
    /// The eight lower-case digits of a number, the first in the lowest byte in memory.
    @inline(__always)
    package static func of(_ number: UInt32) -> UInt64 {
        // Spread the eight nibbles over eight bytes, the highest nibble in the highest byte.
        var spread = UInt64(number)
        spread = (spread &<< 16 | spread) & 0x0000_ffff_0000_ffff
        spread = (spread &<< 8 | spread) & 0x00ff_00ff_00ff_00ff
        spread = (spread &<< 4 | spread) & 0x0f0f_0f0f_0f0f_0f0f
        // 1 in each byte whose nibble is 10 or more: from '9' + 1 to 'a' are 39 places.
        let letters = ((spread &+ 0x0606_0606_0606_0606) &>> 4) & 0x0101_0101_0101_0101
        return (spread &+ 0x3030_3030_3030_3030 &+ letters &* 0x27).bigEndian
    }
}
