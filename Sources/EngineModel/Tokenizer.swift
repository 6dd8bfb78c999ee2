/// Text to tokens by greedy longest match, and tokens to bytes.
///
/// Like a real tokeniser it does not commute with cutting: a text that was generated as `a`, `b` is read back as
/// `ab`. Byte tokens make every text encodable.
package struct Tokenizer: Sendable {
    /// Multi-byte pieces by their bytes, packed into one word.
    private let pieces: [UInt32: Int32]

    package init() {
        var pieces: [UInt32: Int32] = [:]
        for (index, bytes) in Token.pieceBytes.enumerated() { pieces[Tokenizer.pack(bytes[...])] = Token.piece(index) }
        self.pieces = pieces
    }

    /// Appends the tokens of a text.
    package func encode(_ text: some StringProtocol, into tokens: inout [Int32]) {
        var text = String(text)
        text.withUTF8 { encode(bytes: $0, into: &tokens) }
    }

    package func encode(_ text: String) -> [Int32] {
        var tokens: [Int32] = []
        tokens.reserveCapacity(text.utf8.count / 3)
        encode(text, into: &tokens)
        return tokens
    }

    /// Appends the bytes that a token stands for; special and unknown tokens stand for none.
    package func appendBytes(of token: Int32, to bytes: inout [UInt8]) {
        guard token >= Token.bytes, token < Token.count else { return }
        if token < Token.pieces { return bytes.append(UInt8(truncatingIfNeeded: token - Token.bytes)) }
        if token < Token.letters {
            let index = Int(token - Token.pieces)
            if index < Token.pieceBytes.count { bytes.append(contentsOf: Token.pieceBytes[index]) }
            return
        }
        var value = token - Token.letters
        if value >= Token.runs {
            bytes.append(0x20)
            value -= Token.runs
        }
        var count = 4
        while count > 1, value < Token.runOffsets[count - 1] { count -= 1 }
        value -= Token.runOffsets[count - 1]
        var divisor: Int32 = count == 4 ? 17_576 : count == 3 ? 676 : count == 2 ? 26 : 1
        while divisor > 0 {
            bytes.append(UInt8(truncatingIfNeeded: 0x61 + value / divisor % 26))
            divisor /= 26
        }
    }

    /// The text of tokens that are known to be whole; broken characters become U+FFFD.
    package func decode(_ tokens: [Int32]) -> String {
        var bytes: [UInt8] = []
        for token in tokens { appendBytes(of: token, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func encode(bytes: UnsafeBufferPointer<UInt8>, into tokens: inout [Int32]) {
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if isLetter(byte) {
                index += appendRun(bytes, from: index, spaced: false, to: &tokens)
            } else if byte == 0x20, index + 1 < bytes.count, isLetter(bytes[index + 1]) {
                index += 1 + appendRun(bytes, from: index + 1, spaced: true, to: &tokens)
            } else if byte >= 0x80 {
                index += appendPiece(bytes, from: index, to: &tokens)
            } else {
                tokens.append(Token.byte(byte))
                index += 1
            }
        }
    }

    /// Appends the run of up to four letters that starts here. Returns its letters.
    private func appendRun(
        _ bytes: UnsafeBufferPointer<UInt8>, from start: Int, spaced: Bool, to tokens: inout [Int32]
    ) -> Int {
        var value: Int32 = 0
        var count = 0
        while count < 4, start + count < bytes.count, isLetter(bytes[start + count]) {
            value = value * 26 + Int32(bytes[start + count] - 0x61)
            count += 1
        }
        tokens.append(Token.run(value: value, count: count, spaced: spaced))
        return count
    }

    /// Appends the longest multi-byte piece that starts here, else one byte. Returns its bytes.
    private func appendPiece(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int, to tokens: inout [Int32]) -> Int {
        var length = min(4, bytes.count - start)
        while length > 1 {
            if let token = pieces[Tokenizer.pack(bytes[start..<start + length])] {
                tokens.append(token)
                return length
            }
            length -= 1
        }
        tokens.append(Token.byte(bytes[start]))
        return 1
    }

    private func isLetter(_ byte: UInt8) -> Bool { byte &- 0x61 < 26 }

    /// Two to four bytes as one word; the lengths cannot collide because no piece starts with a zero byte.
    private static func pack(_ bytes: some Sequence<UInt8>) -> UInt32 {
        bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
