extension HouseRule {
    private static let maximumFileLines = 500
    private static let maximumFunctionLines = 60

    /// Rules about length.
    static let sizeRules: [HouseRule] = [
        HouseRule(name: "Files have at most 500 lines, or say why") { file, _ in
            let count = file.text.raw.count
            let reason = file.text.raw[0].contains(/^\/\/ .*\b(?:because|[Ll]ong|lines)\b/)
            return count > maximumFileLines && !reason
                ? [(0, "\(count) lines, and the first line does not say why")] : []
        },
        HouseRule(name: "Functions have at most 60 lines") { file, _ in
            file.functions.filter { $0.lines > maximumFunctionLines }
                .map { ($0.line, "\($0.name) has \($0.lines) lines") }
        },
    ]
}

extension SourceFile {
    struct Function {
        var name: String
        /// The line of its keyword, from 1.
        var line: Int
        /// From the keyword to the closing brace.
        var lines: Int
    }

    /// Functions, initialisers and subscripts with a body, nested ones included.
    ///
    /// The body's brace is the first one outside parentheses and brackets; a declaration that ends before one
    /// (a protocol's requirement) has no body.
    var functions: [Function] {
        let keyword = /(?:^|[^.\w`])(func\s+[^\s(<]+|init[?!]?\s*[(<]|deinit\b|subscript\s*[(<])/.wordBoundaryKind(
            .simple)
        return text.code.indices.compactMap { index in
            guard let match = text.code[index].firstMatch(of: keyword) else { return nil }
            let column = text.code[index][..<match.1.startIndex].utf8.count
            guard let end = closingLine(line: index, column: column) else { return nil }
            return Function(name: String(match.1), line: index + 1, lines: end - index + 1)
        }
    }

    /// The index of the line that closes the body of the declaration at this place; nil when it has none.
    private func closingLine(line start: Int, column: Int) -> Int? {
        var round = 0
        var curly = 0
        for index in start..<text.code.count {
            for byte in text.code[index].utf8.dropFirst(index == start ? column : 0) {
                switch byte {
                case UInt8(ascii: "("), UInt8(ascii: "["): round += 1
                case UInt8(ascii: ")"), UInt8(ascii: "]"): round -= 1
                case UInt8(ascii: "{"): curly += 1
                case UInt8(ascii: "}"): curly -= 1
                default: break
                }
                if byte == UInt8(ascii: "}"), curly <= 0, round <= 0 { return curly == 0 ? index : nil }
            }
            if curly == 0, round == 0, endsWithoutBody(after: index) { return nil }
        }
        return nil
    }

    /// True where the next line with code does not go on with the declaration.
    private func endsWithoutBody(after index: Int) -> Bool {
        let blank = /^\s*$/
        guard let next = text.code[(index + 1)...].first(where: { !$0.contains(blank) }) else { return true }
        return !next.contains(/^\s*(?:\{|->|where\b|async\b|throws\b|rethrows\b)/)
    }
}
