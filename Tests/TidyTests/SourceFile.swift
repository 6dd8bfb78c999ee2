/// One Swift file of the tree.
struct SourceFile: Sendable {
    /// From the root of the tree, such as `Sources/FlowControl/Outcome.swift`.
    let path: String
    let text: SwiftText

    init(path: String, source: String) {
        self.path = path
        self.text = SwiftText(source)
    }

    private var parts: [Substring] { path.split(separator: "/") }
    var isSource: Bool { parts.first == "Sources" }
    /// The target the file belongs to.
    var room: String { parts.count > 1 ? String(parts[1]) : "" }

    /// Numbers (from 1) of the lines whose code matches.
    func lines(matching pattern: Regex<some Any>) -> [Int] {
        let pattern = pattern.wordBoundaryKind(.simple)
        return text.code.indices.filter { text.code[$0].firstMatch(of: pattern) != nil }.map { $0 + 1 }
    }

    /// Modules that the file imports, with their line numbers. `@testable`, access levels and import kinds are understood.
    var imports: [(line: Int, module: String)] {
        let pattern = /^\s*(?:@\w+\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+/
            .ignoresCase(false)
        let kinds: Set<Substring> = ["struct", "class", "enum", "protocol", "typealias", "func", "var", "let", "actor"]
        return text.code.enumerated().compactMap { index, line in
            guard let match = line.prefixMatch(of: pattern) else { return nil }
            let words = line[match.range.upperBound...].split(separator: " ")
            guard let target = words.first(where: { !kinds.contains($0) }) else { return nil }
            return (index + 1, String(target.prefix { $0 != "." }))
        }
    }

    /// Names of the types that the file declares, with their line numbers.
    var typeNames: [(line: Int, name: String)] {
        let pattern = /\b(?:struct|class|enum|actor|protocol|typealias)\s+([A-Za-z_]\w*)/
        let notNames: Set<Substring> = ["func", "var", "let", "subscript", "init"]
        return text.code.enumerated().flatMap { index, line in
            line.matches(of: pattern).filter { !notNames.contains($0.1) }.map { (index + 1, String($0.1)) }
        }
    }
}
