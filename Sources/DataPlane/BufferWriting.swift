import NIOCore
import WireFormats

extension ByteBuffer {
    /// `size CRLF`: the start of one chunk.
    mutating func writeChunkSize(_ size: Int) {
        writeString(String(size, radix: 16))
        writeStaticString("\r\n")
    }

    /// The whole of a text.
    mutating func writeText(_ text: borrowing ByteText) {
        text.withUnsafeBytes { bytes in _ = writeBytes(bytes) }
    }

    func text(_ range: Range<Int>) -> String {
        getString(at: readerIndex + range.lowerBound, length: range.count) ?? ""
    }
}

extension ByteText {
    /// Bytes of a buffer by offsets from its reader index.
    mutating func append(of buffer: ByteBuffer, _ range: Range<Int>) {
        buffer.withUnsafeReadableBytes { append(bytes: UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}
