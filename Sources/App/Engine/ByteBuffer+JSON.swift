import NIOCore

extension ByteBuffer {
    /// Appends a JSON string, quoted and escaped.
    mutating func writeJSON(_ text: String) {
        writeInteger(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { writeEscaped($0) }
        writeInteger(UInt8(ascii: "\""))
    }

    /// Appends text bytes as they stand inside a JSON string. The bytes are UTF-8.
    mutating func writeEscaped(_ bytes: [UInt8]) { bytes.withUnsafeBufferPointer { writeEscaped($0) } }

    /// Appends a string, or `null`.
    mutating func writeJSON(_ text: String?) {
        if let text { writeJSON(text) } else { writeString("null") }
    }

    mutating func writeJSON(_ tokens: [Int32]) {
        writeInteger(UInt8(ascii: "["))
        for (index, token) in tokens.enumerated() {
            if index > 0 { writeInteger(UInt8(ascii: ",")) }
            writeString(String(token))
        }
        writeInteger(UInt8(ascii: "]"))
    }

    private mutating func writeEscaped(_ bytes: UnsafeBufferPointer<UInt8>) {
        var start = 0
        for index in 0..<bytes.count {
            let byte = bytes[index]
            guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
            writeBytes(bytes[start..<index])
            start = index + 1
            switch byte {
            case UInt8(ascii: "\""): writeStaticString("\\\"")
            case UInt8(ascii: "\\"): writeStaticString("\\\\")
            case 0x0a: writeStaticString("\\n")
            case 0x0d: writeStaticString("\\r")
            case 0x09: writeStaticString("\\t")
            default: writeString("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
            }
        }
        writeBytes(bytes[start..<bytes.count])
    }
}
