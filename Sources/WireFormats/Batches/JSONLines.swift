/// Cuts a JSON Lines file into lines, whatever the pieces it comes in.
///
/// Lines end in LF or CRLF; the last needs no end. A line of only spaces and tabs is blank: it is numbered, but not
/// handed on. Every line must be UTF-8 (so is then the file: a line end cannot lie within a character). After a
/// failure nothing more may be fed.
package struct JSONLines: Sendable {
    /// One line that is not blank. `bytes` are without the line end, and valid during the call only.
    package struct Line {
        /// Counted from 1, blank lines included.
        package var number: Int
        /// Offset of the line's first byte in the file.
        package var offset: Int
        package var bytes: UnsafeRawBufferPointer
        /// Bytes of the line without its end.
        package var length: Int { bytes.count }
    }

    package struct Failure: Error, Sendable, Equatable {
        package enum Code: String, Sendable {
            case lineTooLong = "line_too_long"
            case invalidUTF8 = "invalid_utf8"
        }
        package var code: Code
        package var line: Int
        /// Offset in the file: of the bad byte, or of the line that is too long.
        package var offset: Int
        package var message: String
    }

    package let maximumLineBytes: Int
    /// Lines ended so far, blank ones included.
    package private(set) var linesSeen = 0
    private var pending: [UInt8] = []
    /// Offset of the first byte of the present line.
    private var lineStart = 0
    /// Offset of the next byte to be fed.
    private var fed = 0

    package init(maximumLineBytes: Int = 16_777_216) { self.maximumLineBytes = maximumLineBytes }

    /// The next bytes of the file. Hands on every line that ends in them.
    package mutating func feed(
        _ bytes: UnsafeRawBufferPointer, _ visit: (Line) throws -> Void
    ) throws {
        var start = 0
        while let end = ByteSearch.first(UInt8(ascii: "\n"), in: bytes, from: start, end: bytes.count) {
            if pending.isEmpty {
                try handOn(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), visit)
            } else {
                try keep(bytes, start..<end)
                try handOnPending(visit)
            }
            lineStart = fed + end + 1
            start = end + 1
        }
        try keep(bytes, start..<bytes.count)
        fed += bytes.count
    }

    /// The file ended: hands on a last line without its end.
    package mutating func finish(_ visit: (Line) throws -> Void) throws {
        if !pending.isEmpty { try handOnPending(visit) }
        lineStart = fed
    }

    private mutating func keep(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) throws {
        // One byte more is let in for the CR of a CRLF; the line is measured again without it.
        guard pending.count + range.count <= maximumLineBytes + 1 else { throw tooLong() }
        pending.append(contentsOf: bytes[range])
    }

    private mutating func handOnPending(_ visit: (Line) throws -> Void) throws {
        var whole: [UInt8] = []
        swap(&whole, &pending)
        try whole.withUnsafeBytes { try handOn($0, visit) }
        whole.removeAll(keepingCapacity: true)
        swap(&whole, &pending)
    }

    private mutating func handOn(_ bytes: UnsafeRawBufferPointer, _ visit: (Line) throws -> Void) throws {
        linesSeen += 1
        let hasReturn = bytes.last == UInt8(ascii: "\r")
        let text = hasReturn ? UnsafeRawBufferPointer(rebasing: bytes.dropLast()) : bytes
        guard text.count <= maximumLineBytes else {
            linesSeen -= 1
            throw tooLong()
        }
        if text.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return }
        if let fault = UTF8Check.firstFault(in: text) {
            throw Failure(
                code: .invalidUTF8, line: linesSeen, offset: lineStart + fault,
                message: "line \(linesSeen) is not UTF-8 (file byte \(lineStart + fault))")
        }
        try visit(Line(number: linesSeen, offset: lineStart, bytes: text))
    }

    private func tooLong() -> Failure {
        Failure(
            code: .lineTooLong, line: linesSeen + 1, offset: lineStart,
            message: "line \(linesSeen + 1) is longer than \(maximumLineBytes) bytes")
    }
}
