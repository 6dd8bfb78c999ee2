/// Checks a whole text against JSON's grammar (RFC 8259), strictly: numbers, escapes, control characters, UTF-8.
///
/// Builds nothing and needs no memory. Half a surrogate pair written as an escape is let pass, as the RFC does.
package enum JSONSyntax {
    /// Throws at the first byte that breaks the grammar. At most 128 levels deep.
    package static func check(
        _ bytes: UnsafeRawBufferPointer, maximumDepth: Int = JSONCursor.deepestNesting
    ) throws(ScanFailure) {
        if let fault = UTF8Check.firstFault(in: bytes) {
            throw ScanFailure(.invalidUTF8, at: fault, "not UTF-8")
        }
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            throw ScanFailure(.byteOrderMark, at: 0, "a byte order mark before the JSON value")
        }
        var walk = SyntaxWalk(bytes: bytes, maximumDepth: min(maximumDepth, JSONCursor.deepestNesting))
        try walk.run()
    }

    /// Whether the text is JSON.
    package static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        do {
            try check(bytes)
            return true
        } catch {
            return false
        }
    }
}

/// The state of one check: where it is, and one bit per open container that tells whether it is an object.
private struct SyntaxWalk {
    let bytes: UnsafeRawBufferPointer
    let maximumDepth: Int
    var position = 0
    var depth = 0
    var objects: UInt128 = 0

    init(bytes: UnsafeRawBufferPointer, maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    /// Alternates between "a value is due" and "a value has ended" until the text is used up.
    mutating func run() throws(ScanFailure) {
        while true {
            if try openValue() { continue }
            if try !closeValues() { break }
        }
        skipSpace()
        if position < bytes.count { throw fault("nothing may follow the JSON value", .trailingBytes) }
    }

    /// Reads a scalar or an opening bracket. True: a container was opened and its first value is due.
    private mutating func openValue() throws(ScanFailure) -> Bool {
        skipSpace()
        guard let byte = current else { throw fault("expected a value") }
        switch byte {
        case UInt8(ascii: "{"): return try open(isObject: true)
        case UInt8(ascii: "["): return try open(isObject: false)
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: try number()
        }
        return false
    }

    /// After a value: closes what ends here. True: another value is due; false: the outermost value has ended.
    private mutating func closeValues() throws(ScanFailure) -> Bool {
        while depth > 0 {
            skipSpace()
            let isObject = objects & 1 == 1
            guard let byte = current else { throw fault("an object or array is not closed") }
            if byte == UInt8(ascii: ",") {
                position += 1
                if isObject { try key() }
                return true
            }
            guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                throw fault("expected a comma or the closing bracket")
            }
            close()
        }
        return false
    }

    private mutating func open(isObject: Bool) throws(ScanFailure) -> Bool {
        guard depth < maximumDepth else { throw fault("nested deeper than \(maximumDepth) levels", .tooDeep) }
        position += 1
        depth += 1
        objects = (objects &<< 1) | (isObject ? 1 : 0)
        skipSpace()
        if let byte = current, byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
            close()
            return false
        }
        if isObject { try key() }
        return true
    }

    private mutating func close() {
        position += 1
        depth -= 1
        objects = objects &>> 1
    }

    private mutating func key() throws(ScanFailure) {
        skipSpace()
        guard current == UInt8(ascii: "\"") else { throw fault("expected a member name in double quotes") }
        try string()
        skipSpace()
        guard current == UInt8(ascii: ":") else { throw fault("expected a colon after the member name") }
        position += 1
    }

    private mutating func string() throws(ScanFailure) {
        let start = position
        position += 1
        while position < bytes.count {
            skipPlainBytes()
            guard position < bytes.count else { break }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return
            }
            if byte < 0x20 { throw fault("a control character in a string") }
            position += 1
            if byte == UInt8(ascii: "\\") { try escape() }
        }
        throw ScanFailure(.invalidJSON, at: start, "a string that starts here has no end")
    }

    /// Leaves the position on a quote, backslash or control character, or less than a word before the end.
    @inline(__always)
    private mutating func skipPlainBytes() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        var index = position
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
            let quotes = word ^ (ones &* 0x22)
            let slashes = word ^ (ones &* 0x5C)
            // The lowest mark is exact: a borrow can only mark bytes above a true one.
            let found =
                ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | ((word &- ones &* 0x20) & ~word)
            let marks = found & (ones &* 0x80)
            if marks != 0 {
                position = index + (marks.trailingZeroBitCount >> 3)
                return
            }
            index += 8
        }
        position = index
    }

    private mutating func escape() throws(ScanFailure) {
        guard let byte = current else { throw fault("an escape is cut off") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return
        case UInt8(ascii: "u"):
            for _ in 0..<4 {
                guard let digit = current, SyntaxWalk.isHex(digit) else { throw fault("expected a hex digit") }
                position += 1
            }
        default:
            position -= 1
            throw fault("an escape that JSON does not know")
        }
    }

    private mutating func number() throws(ScanFailure) {
        if current == UInt8(ascii: "-") { position += 1 }
        // A zero ends the whole part: in "01" the 1 is then one byte too many.
        if current == UInt8(ascii: "0") {
            position += 1
        } else if digits() == 0 {
            throw fault("expected a value")
        }
        if current == UInt8(ascii: ".") {
            position += 1
            guard digits() > 0 else { throw fault("expected a digit after the point") }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { throw fault("expected a digit in the exponent") }
        }
    }

    private mutating func literal(_ text: StaticString) throws(ScanFailure) {
        guard ByteSearch.hasPrefix(bytes, position..<bytes.count, text) else { throw fault("expected a value") }
        position += text.utf8CodeUnitCount
    }

    private mutating func digits() -> Int {
        let start = position
        while let byte = current, byte >= 0x30, byte <= 0x39 { position += 1 }
        return position - start
    }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    @inline(__always)
    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func fault(_ what: String, _ code: ScanFailure.Code = .invalidJSON) -> ScanFailure {
        ScanFailure(code, at: position, what)
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
            UInt8(ascii: "A")...UInt8(ascii: "F"):
            return true
        default: return false
        }
    }
}
