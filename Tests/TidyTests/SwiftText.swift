/// Swift source with the text of comments and string literals blanked out, so that rules can look for words and
/// count braces without a parser.
///
/// Line ends stay where they are, so line numbers agree with the file. Interpolations inside strings are blanked
/// too: house rules do not reach into them. Bare regex literals are not recognised.
struct SwiftText: Sendable {
    /// The lines as written.
    let raw: [String]
    /// The same lines with comments and strings blanked.
    let code: [String]
    /// The same lines with all but the comments blanked.
    let comments: [String]

    init(_ source: String) {
        var scanner = BlankingScanner(Array(source.utf8))
        scanner.run()
        raw = Self.lines(source)
        code = Self.lines(String(decoding: scanner.code, as: UTF8.self))
        comments = Self.lines(String(decoding: scanner.comments, as: UTF8.self))
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}

/// Walks the bytes once and replaces what is not code by spaces.
private struct BlankingScanner {
    private let bytes: [UInt8]
    private(set) var code: [UInt8]
    private(set) var comments: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        self.code = bytes
        self.comments = bytes.map { $0 == UInt8(ascii: "\n") ? $0 : UInt8(ascii: " ") }
    }

    mutating func run() {
        while at < bytes.count {
            if starts("//") {
                blankLine()
            } else if starts("/*") {
                blankBlockComment()
            } else if let literal = literalHere() {
                blankString(literal)
            } else {
                at += 1
            }
        }
    }

    /// A string literal's opening: its number of `#`, and whether it spans lines.
    private struct Literal {
        var hashes: Int
        var isMultiline: Bool
    }

    private func starts(_ text: StaticString, offset: Int = 0) -> Bool {
        text.withUTF8Buffer { wanted in
            let from = at + offset
            return from + wanted.count <= bytes.count && wanted.elementsEqual(bytes[from..<(from + wanted.count)])
        }
    }

    private mutating func blank(_ count: Int, asComment: Bool = false) {
        for index in at..<min(at + count, bytes.count) where bytes[index] != UInt8(ascii: "\n") {
            code[index] = UInt8(ascii: " ")
            if asComment { comments[index] = bytes[index] }
        }
        at = min(at + count, bytes.count)
    }

    private mutating func blankLine() {
        while at < bytes.count, bytes[at] != UInt8(ascii: "\n") { blank(1, asComment: true) }
    }

    private mutating func blankBlockComment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1
                blank(2, asComment: true)
            } else if starts("*/") {
                depth -= 1
                blank(2, asComment: true)
            } else {
                blank(1, asComment: true)
            }
        } while depth > 0 && at < bytes.count
    }

    private func literalHere() -> Literal? {
        var hashes = 0
        while at + hashes < bytes.count, bytes[at + hashes] == UInt8(ascii: "#") { hashes += 1 }
        guard starts("\"", offset: hashes) else { return nil }
        return Literal(hashes: hashes, isMultiline: starts("\"\"\"", offset: hashes))
    }

    private func hashesFollow(_ count: Int, after offset: Int) -> Bool {
        (0..<count).allSatisfy { at + offset + $0 < bytes.count && bytes[at + offset + $0] == UInt8(ascii: "#") }
    }

    private mutating func blankString(_ literal: Literal) {
        let quotes = literal.isMultiline ? 3 : 1
        blank(literal.hashes + quotes)
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "\\"), hashesFollow(literal.hashes, after: 1) {
                blank(1 + literal.hashes)
                if starts("(") { blankInterpolation() } else { blank(1) }
            } else if starts("\"\"\"") && literal.isMultiline || starts("\"") && !literal.isMultiline,
                hashesFollow(literal.hashes, after: quotes)
            {
                blank(quotes + literal.hashes)
                return
            } else if bytes[at] == UInt8(ascii: "\n") && !literal.isMultiline {
                return
            } else {
                blank(1)
            }
        }
    }

    private mutating func blankInterpolation() {
        var depth = 0
        repeat {
            if let literal = literalHere() {
                blankString(literal)
                continue
            }
            if starts("(") { depth += 1 }
            if starts(")") { depth -= 1 }
            blank(1)
        } while depth > 0 && at < bytes.count
    }
}
