/// Bytes of tokens to text, incrementally: half a character is never let out.
package struct Detokenizer: Sendable {
    /// The start of a character whose other bytes have not come; at most three bytes.
    private var pending: [UInt8] = []

    package init() {}

    /// Goes on after a prompt: half a character at the prompt's end is completed by the tokens that follow.
    package init(after prompt: [Int32], using tokenizer: Tokenizer) {
        var text: [UInt8] = []
        for token in prompt.suffix(Detokenizer.longestCharacter) {
            if token < Token.bytes { pending.removeAll() }
            append(token, using: tokenizer, to: &text)
        }
    }

    /// Most tokens that one character can span: its bytes.
    private static let longestCharacter = 4

    /// Appends one token's text to `text` as far as its characters are whole. A byte that cannot belong to any
    /// character becomes U+FFFD. What is pending when the tokens end is not text and is dropped.
    package mutating func append(_ token: Int32, using tokenizer: Tokenizer, to text: inout [UInt8]) {
        let before = text.count
        if pending.isEmpty {
            tokenizer.appendBytes(of: token, to: &text)
            if isASCII(text[before...]) { return }
            pending.append(contentsOf: text[before...])
            text.removeLast(text.count - before)
        } else {
            tokenizer.appendBytes(of: token, to: &pending)
        }
        release(into: &text)
    }

    private func isASCII(_ bytes: ArraySlice<UInt8>) -> Bool { bytes.allSatisfy { $0 < 0x80 } }

    private mutating func release(into text: inout [UInt8]) {
        var index = 0
        while index < pending.count {
            switch UTF8Character.scan(pending[index...]) {
            case .whole(let length):
                text.append(contentsOf: pending[index..<index + length])
                index += length
            case .broken(let length):
                text.append(contentsOf: [0xef, 0xbf, 0xbd])
                index += length
            case .unfinished:
                pending.removeFirst(index)
                return
            }
        }
        pending.removeAll(keepingCapacity: true)
    }
}

/// What stands at the front of some bytes, by the table of well-formed UTF-8 (Unicode, table 3-7).
enum UTF8Character {
    case whole(Int)
    /// This many bytes can never become a character.
    case broken(Int)
    /// More bytes may complete it.
    case unfinished

    static func scan(_ bytes: ArraySlice<UInt8>) -> UTF8Character {
        guard let first = bytes.first else { return .unfinished }
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xbf
        switch first {
        case 0..<0x80: return .whole(1)
        case 0xc2...0xdf: length = 2
        case 0xe0...0xef:
            length = 3
            if first == 0xe0 { second = 0xa0...0xbf }
            if first == 0xed { second = 0x80...0x9f }
        case 0xf0...0xf4:
            length = 4
            if first == 0xf0 { second = 0x90...0xbf }
            if first == 0xf4 { second = 0x80...0x8f }
        default: return .broken(1)
        }
        for offset in 1..<length {
            guard offset < bytes.count else { return .unfinished }
            let byte = bytes[bytes.startIndex + offset]
            guard (offset == 1 ? second : 0x80...0xbf).contains(byte) else { return .broken(offset) }
        }
        return .whole(length)
    }
}
