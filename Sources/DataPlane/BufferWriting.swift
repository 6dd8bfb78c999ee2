import NIOCore

extension ByteBuffer {
    /// Decimal digits without an intermediate string.
    mutating func writeDecimal(_ number: Int) {
        var digits: UInt64 = 0
        var rest = number.magnitude
        // Heads hold lengths, ports and statuses: eight digits cover nearly all.
        guard rest < 100_000_000 else {
            writeString(String(number))
            return
        }
        var count = 0
        repeat {
            digits = digits << 8 | UInt64(0x30 + rest % 10)
            rest /= 10
            count += 1
        } while rest > 0
        writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
            withUnsafeBytes(of: digits.littleEndian) { source in
                room.copyMemory(from: UnsafeRawBufferPointer(rebasing: source.prefix(count)))
            }
            return count
        }
    }

    /// `size CRLF`: the start of one chunk.
    mutating func writeChunkSize(_ size: Int) {
        writeString(String(size, radix: 16))
        writeStaticString("\r\n")
    }

    /// Bytes of another buffer by offsets from its reader index.
    mutating func writeBytes(of other: ByteBuffer, _ range: Range<Int>) {
        other.withUnsafeReadableBytes { bytes in
            _ = writeBytes(UnsafeRawBufferPointer(rebasing: bytes[range]))
        }
    }

    func text(_ range: Range<Int>) -> String {
        getString(at: readerIndex + range.lowerBound, length: range.count) ?? ""
    }
}
