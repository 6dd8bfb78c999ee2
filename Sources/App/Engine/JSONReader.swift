/// Reads one JSON document (RFC 8259) from bytes, with a bounded depth.
struct JSONReader {
    struct Failure: Error, Equatable {
        var message: String
        /// Where, in bytes from the start.
        var offset: Int
    }

    /// Arrays and objects inside each other.
    static let maximumDepth = 128

    private let bytes: UnsafeBufferPointer<UInt8>
    private var index = 0
    private var depth = 0

    static func read(_ bytes: UnsafeBufferPointer<UInt8>) throws(Failure) -> JSONValue {
        var reader = JSONReader(bytes: bytes)
        let value = try reader.value()
        reader.skipSpace()
        guard reader.index == bytes.count else { throw reader.failure("text after the document") }
        return value
    }

    static func read(_ text: String) throws -> JSONValue {
        var text = text
        return try text.withUTF8 { try read($0) }
    }

    private init(bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private func failure(_ message: String) -> Failure { Failure(message: message, offset: index) }

    private var byte: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func skipSpace() {
        while let byte, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { index += 1 }
    }

    private mutating func value() throws(Failure) -> JSONValue {
        skipSpace()
        switch byte {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .some(let byte) where byte == UInt8(ascii: "-") || isDigit(byte): return try number()
        case .some: throw failure("expected a value")
        case nil: throw failure("the document ends where a value is expected")
        }
    }

    private mutating func enter() throws(Failure) {
        depth += 1
        index += 1
        if depth > JSONReader.maximumDepth { throw failure("nested deeper than \(JSONReader.maximumDepth)") }
    }

    private mutating func object() throws(Failure) -> JSONValue {
        try enter()
        var members: [JSONValue.Member] = []
        skipSpace()
        while byte != UInt8(ascii: "}") {
            if !members.isEmpty { try expect(",") }
            skipSpace()
            guard byte == UInt8(ascii: "\"") else { throw failure("expected a member's name") }
            let name = try string()
            skipSpace()
            try expect(":")
            members.append(.init(name: name, value: try value()))
            skipSpace()
        }
        index += 1
        depth -= 1
        return .object(members)
    }

    private mutating func array() throws(Failure) -> JSONValue {
        try enter()
        var items: [JSONValue] = []
        skipSpace()
        while byte != UInt8(ascii: "]") {
            if !items.isEmpty { try expect(",") }
            items.append(try value())
            skipSpace()
        }
        index += 1
        depth -= 1
        return .array(items)
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Failure) {
        guard byte == UInt8(ascii: character) else { throw failure("expected '\(character)'") }
        index += 1
    }

    private mutating func word(_ text: StaticString, _ value: JSONValue) throws(Failure) -> JSONValue {
        let end = index + text.utf8CodeUnitCount
        guard end <= bytes.count else { throw failure("expected \(text)") }
        let matches = text.withUTF8Buffer { expected in
            expected.elementsEqual(bytes[index..<end])
        }
        guard matches else { throw failure("expected \(text)") }
        index = end
        return value
    }

    private mutating func number() throws(Failure) -> JSONValue {
        let start = index
        if byte == UInt8(ascii: "-") { index += 1 }
        guard let first = byte, isDigit(first) else { throw failure("expected a digit") }
        index += 1
        if first != UInt8(ascii: "0") { skipDigits() }
        var isInteger = true
        if byte == UInt8(ascii: ".") {
            isInteger = false
            index += 1
            try requireDigits()
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            isInteger = false
            index += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { index += 1 }
            try requireDigits()
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if isInteger, let value = Int(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw failure("a number out of range") }
        return .number(value)
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

    private mutating func skipDigits() { while let byte, isDigit(byte) { index += 1 } }

    private mutating func requireDigits() throws(Failure) {
        guard let byte, isDigit(byte) else { throw failure("expected a digit") }
        skipDigits()
    }

    private mutating func string() throws(Failure) -> String {
        index += 1
        let start = index
        while let byte, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { index += 1 }
        guard byte == UInt8(ascii: "\"") else { return try escapedString(from: start) }
        let text = try validated(bytes[start..<index])
        index += 1
        return text
    }

    private func validated(_ text: some Collection<UInt8>) throws(Failure) -> String {
        guard let text = String(validating: text, as: UTF8.self) else { throw failure("a string that is not UTF-8") }
        return text
    }

    private mutating func escapedString(from start: Int) throws(Failure) -> String {
        var text = Array(bytes[start..<index])
        while let byte {
            switch byte {
            case UInt8(ascii: "\""):
                index += 1
                return try validated(text)
            case UInt8(ascii: "\\"):
                index += 1
                try appendEscape(to: &text)
            case 0..<0x20: throw failure("a control character in a string")
            default:
                text.append(byte)
                index += 1
            }
        }
        throw failure("a string without an end")
    }

    private mutating func appendEscape(to text: inout [UInt8]) throws(Failure) {
        guard let byte else { throw failure("a string without an end") }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: String(try unicodeEscape()).utf8)
        default: throw failure("an unknown escape")
        }
    }

    /// A surrogate without its other half becomes U+FFFD, as Python's reader and others let it pass.
    private mutating func unicodeEscape() throws(Failure) -> Character {
        let first = try hexWord()
        guard (0xd800..<0xdc00).contains(first), index + 1 < bytes.count,
            bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u")
        else { return Character(Unicode.Scalar(first) ?? "\u{fffd}") }
        let back = index
        index += 2
        let second = try hexWord()
        guard (0xdc00..<0xe000).contains(second) else {
            index = back
            return "\u{fffd}"
        }
        return Character(Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00)) ?? "\u{fffd}")
    }

    private mutating func hexWord() throws(Failure) -> UInt32 {
        guard index + 4 <= bytes.count else { throw failure("a string without an end") }
        var word: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(bytes[index])).hexDigitValue else {
                throw failure("expected a hexadecimal digit")
            }
            word = word << 4 | UInt32(digit)
            index += 1
        }
        return word
    }
}
