/// Walks a JSON text in place: it delimits values, and goes into those that the caller enters.
///
/// An object: `enterObject`, then `nextMember` until nil; or `nextName` until nil with, after each, one `value`,
/// `enterObject` or `enterArray` and its walk. An array: `enterArray`, then `nextElement` until nil; or
/// `hasNextElement` until false, likewise. What lies inside a value is only matched bracket for bracket and string for string, so a
/// text that is not JSON deeper down may pass; `JSONSyntax` checks the whole grammar. Every index is checked against
/// `end` before it is read. The buffer must outlive the cursor.
package struct JSONCursor {
    package let bytes: UnsafeRawBufferPointer
    package private(set) var position: Int
    /// One past the last byte the cursor may read.
    package let end: Int
    /// Bytes of `data:` URLs (pictures, sounds) of at least `shortestUpload` bytes within the containers skipped so
    /// far, and their number. Noted in passing because a search of its own would cost as much as the walk.
    package private(set) var uploadBytes = 0
    package private(set) var uploads = 0
    private let maximumDepth: Int
    private var isFirst = true

    /// The deepest nesting that the bracket stack (one bit per level) can hold.
    package static let deepestNesting = 128

    package static let shortestUpload = 4_096

    /// Names with escapes are decoded up to this many bytes: six for each of the 128 that the longest name which is
    /// ever compared could have. A longer one is equal to none of them.
    package static let longestDecodedName = 768

    package init(_ bytes: UnsafeRawBufferPointer, maximumDepth: Int = JSONCursor.deepestNesting) {
        self.init(bytes, 0..<bytes.count, maximumDepth: maximumDepth)
    }

    /// Walks the value at `range`, which must lie within the buffer.
    package init(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, maximumDepth: Int = JSONCursor.deepestNesting
    ) {
        precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count, "range outside of the buffer")
        self.bytes = bytes
        self.position = range.lowerBound
        self.end = range.upperBound
        self.maximumDepth = min(maximumDepth, JSONCursor.deepestNesting)
    }

    /// The next byte that is not white space, without going past it; nil at the end.
    @inline(__always)
    package mutating func peek() -> UInt8? {
        while position < end {
            let byte = bytes[position]
            if byte > 0x20 { return byte }
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        return nil
    }

    package mutating func enterObject() throws(ScanFailure) {
        guard peek() == UInt8(ascii: "{") else { throw unexpected("expected an object", code: .notAnObject) }
        position += 1
        isFirst = true
    }

    package mutating func enterArray() throws(ScanFailure) {
        guard peek() == UInt8(ascii: "[") else { throw unexpected("expected an array") }
        position += 1
        isFirst = true
    }

    /// The name of the object's next member, with the cursor left before its value; nil after the closing brace.
    package mutating func nextName() throws(ScanFailure) -> JSONName? {
        guard try advance(closing: UInt8(ascii: "}")) else { return nil }
        guard peek() == UInt8(ascii: "\"") else { throw unexpected("expected a member name in double quotes") }
        let name = try name()
        guard peek() == UInt8(ascii: ":") else { throw unexpected("expected a colon after the member name") }
        position += 1
        return name
    }

    /// The object's next member, or nil after its closing brace (which is consumed).
    package mutating func nextMember() throws(ScanFailure) -> JSONMember? {
        guard let name = try nextName() else { return nil }
        return JSONMember(name: name, value: try value())
    }

    /// Whether the array has another element, with the cursor left before it; false after the closing bracket.
    package mutating func hasNextElement() throws(ScanFailure) -> Bool {
        try advance(closing: UInt8(ascii: "]"))
    }

    /// The next element of the array, or nil after its closing bracket (which is consumed).
    package mutating func nextElement() throws(ScanFailure) -> Range<Int>? {
        guard try hasNextElement() else { return nil }
        return try value()
    }

    /// Checks that nothing but white space follows.
    package mutating func finish() throws(ScanFailure) {
        if peek() != nil { throw unexpected("nothing may follow the JSON value", code: .trailingBytes) }
    }

    /// Whether the decoded name is this ASCII text.
    @inline(__always)
    package func name(_ name: JSONName, is text: StaticString) -> Bool {
        if name.hasEscapes { return decoded(name, is: text) }
        return ByteSearch.equal(bytes, name.range, text)
    }

    /// Hardly any name has escapes, so it is decoded only here, for each comparison anew.
    @inline(never)
    private func decoded(_ name: JSONName, is text: StaticString) -> Bool {
        guard name.range.count <= JSONCursor.longestDecodedName,
            let decoded = try? JSONString.decode(bytes, name.range, surrogates: .replace)
        else { return false }
        return decoded.withUnsafeBytes { ByteSearch.equal($0, 0..<$0.count, text) }
    }

    /// Whether the member's decoded name is this ASCII text.
    @inline(__always)
    package func key(_ member: JSONMember, is text: StaticString) -> Bool { name(member.name, is: text) }

    /// Skips one value of any kind; its bytes without surrounding white space.
    package mutating func value() throws(ScanFailure) -> Range<Int> {
        guard let byte = peek() else { throw unexpected("expected a value") }
        let start = position
        switch byte {
        case UInt8(ascii: "\""): _ = try string()
        case UInt8(ascii: "{"), UInt8(ascii: "["): try skipContainer()
        default: try skipScalar()
        }
        return start..<position
    }

    /// Skips the string at the cursor, which stands on its opening quote; the bytes between the quotes.
    @inline(__always)
    package mutating func string() throws(ScanFailure) -> Range<Int> {
        let start = position + 1
        var from = start
        while let quote = quote(from: from) {
            // A quote after an odd run of backslashes is escaped. Runs between quotes are disjoint: linear in all.
            var run = quote
            while run > start, bytes[run - 1] == UInt8(ascii: "\\") { run -= 1 }
            if (quote - run) & 1 == 0 {
                position = quote + 1
                return start..<quote
            }
            from = quote + 1
        }
        throw ScanFailure(.invalidJSON, at: start - 1, "a string that starts here has no end")
    }

    /// The next quote, escaped or not. Most strings are short: the first words are looked at without a call.
    @inline(__always)
    private func quote(from: Int) -> Int? {
        var index = from
        let near = min(end, from + 32)
        while index + 8 <= near {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
            let marks = JSONCursor.zeroBytes(word ^ 0x2222_2222_2222_2222)
            if marks != 0 { return index + (marks.trailingZeroBitCount >> 3) }
            index += 8
        }
        return ByteSearch.first(UInt8(ascii: "\""), in: bytes, from: index, end: end)
    }

    /// Reads a member's name; the cursor stands on its opening quote. Names are short and seldom hold escapes.
    @inline(__always)
    private mutating func name() throws(ScanFailure) -> JSONName {
        let start = position &+ 1
        var index = start
        while index &+ 8 <= end {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self).littleEndian
            let marks =
                JSONCursor.zeroBytes(word ^ 0x2222_2222_2222_2222) | JSONCursor.zeroBytes(word ^ 0x5C5C_5C5C_5C5C_5C5C)
            if marks != 0 {
                index &+= marks.trailingZeroBitCount &>> 3
                guard bytes[index] == UInt8(ascii: "\"") else { break }
                position = index &+ 1
                return JSONName(range: start..<index, hasEscapes: false)
            }
            index &+= 8
        }
        return try longName()
    }

    /// A name with escapes, or one near the end of the text.
    @inline(never)
    private mutating func longName() throws(ScanFailure) -> JSONName {
        let range = try string()
        let hasEscapes =
            ByteSearch.first(UInt8(ascii: "\\"), in: bytes, from: range.lowerBound, end: range.upperBound) != nil
        // A bad escape is found here and not when the name is compared.
        if hasEscapes, range.count <= JSONCursor.longestDecodedName {
            _ = try JSONString.decode(bytes, range, surrogates: .replace)
        }
        return JSONName(range: range, hasEscapes: hasEscapes)
    }

    /// Steps over the separator; false when the container was closed instead.
    private mutating func advance(closing: UInt8) throws(ScanFailure) -> Bool {
        let byte = peek()
        if byte == closing {
            position += 1
            // What was closed was a value of the level above, if the caller entered it there.
            isFirst = false
            return false
        }
        if isFirst {
            isFirst = false
            if byte == nil { throw unexpected("an object or array is not closed") }
            return true
        }
        guard byte == UInt8(ascii: ",") else { throw unexpected("expected a comma or the closing bracket") }
        position += 1
        if peek() == closing { throw unexpected("a comma before the closing bracket") }
        return true
    }

    private mutating func skipScalar() throws(ScanFailure) {
        let start = position
        while position < end, JSONCursor.isScalarByte(bytes[position]) { position += 1 }
        if position == start { throw unexpected("expected a value") }
    }

    private mutating func skipContainer() throws(ScanFailure) {
        let start = position
        // Bit n tells whether the container at depth n is an object.
        var objects: UInt128 = 0
        var depth = 0
        while position < end {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                let inside = try string()
                if inside.count >= JSONCursor.shortestUpload { noteUpload(inside) }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                // The level that the cursor walks counts too.
                guard depth + 1 < maximumDepth else {
                    throw ScanFailure(.tooDeep, at: position, "nested deeper than \(maximumDepth) levels")
                }
                objects = (objects &<< 1) | (byte == UInt8(ascii: "{") ? 1 : 0)
                depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                guard (objects & 1 == 1) == (byte == UInt8(ascii: "}")) else {
                    throw unexpected("a closing bracket that does not match")
                }
                objects = objects &>> 1
                depth -= 1
                if depth == 0 {
                    position += 1
                    return
                }
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                skipUnstructured()
                continue
            default: break
            }
            position += 1
        }
        throw ScanFailure(.invalidJSON, at: start, "an object or array that starts here is not closed")
    }

    @inline(never)
    private mutating func noteUpload(_ inside: Range<Int>) {
        guard ByteSearch.hasPrefix(bytes, inside, "data:") else { return }
        uploads += 1
        uploadBytes += inside.count
    }

    /// Leaves the cursor on the next quote or bracket, or less than a word before the end. Long runs of numbers
    /// (token ids, embeddings) are crossed eight bytes at a time.
    @inline(__always)
    private mutating func skipUnstructured() {
        position += 1
        while position + 8 <= end {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self).littleEndian
            let folded = word | 0x2020_2020_2020_2020
            // 0x7B and 0x7D are braces, and square brackets once folded; 0x22 is the quote, which folding keeps.
            let marks =
                JSONCursor.zeroBytes(folded ^ 0x7B7B_7B7B_7B7B_7B7B)
                | JSONCursor.zeroBytes(folded ^ 0x7D7D_7D7D_7D7D_7D7D)
                | JSONCursor.zeroBytes(word ^ 0x2222_2222_2222_2222)
            if marks != 0 {
                position += marks.trailingZeroBitCount >> 3
                return
            }
            position += 8
        }
    }

    /// The top bit of every zero byte; bits above the lowest one may be wrong, which is all that is looked at.
    @inline(__always)
    private static func zeroBytes(_ word: UInt64) -> UInt64 {
        (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
    }

    @inline(__always)
    private static func isScalarByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."):
            return true
        default: return false
        }
    }

    private func unexpected(_ what: String, code: ScanFailure.Code = .invalidJSON) -> ScanFailure {
        guard position < end else { return ScanFailure(code, at: position, what + ", found the end") }
        let byte = bytes[position]
        let found = byte > 0x20 && byte < 0x7F ? "'\(UnicodeScalar(byte))'" : "byte 0x\(String(byte, radix: 16))"
        return ScanFailure(code, at: position, what + ", found " + found)
    }
}

/// A member's name, as a range of the text it was found in.
package struct JSONName {
    /// Between the quotes, escapes and all.
    package var range: Range<Int>
    /// False: `range` is the name.
    var hasEscapes: Bool
}

/// One member of an object, as ranges of the text it was found in.
package struct JSONMember {
    package var name: JSONName
    /// All bytes of the value, quotes and brackets included.
    package var value: Range<Int>

    /// The name between its quotes, escapes and all.
    package var key: Range<Int> { name.range }
}
