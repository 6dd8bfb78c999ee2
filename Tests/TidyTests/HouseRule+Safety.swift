extension HouseRule {
    /// Rules about what can crash, race or be forgotten.
    static let safetyRules: [HouseRule] = [
        forbidding(
            { /\btry!|\bas!|\bfatalError\(|\bassertionFailure\(|\bpreconditionFailure\(\)/ },
            name: "Nothing crashes without a reason",
            message: "an error is a value; a programmer's error says its state"
        ) { file, _ in file.isSource },
        HouseRule(name: "Unchecked sendability says why it is safe") { file, _ in
            let lines = file.lines(matching: /@unchecked\s+Sendable|\bnonisolated\(unsafe\)/)
            return lines.filter { !file.commentAbove(line: $0).contains("// Safe because") }
                .map { ($0, "needs a comment '// Safe because …' right above") }
        },
        HouseRule(name: "What is left to do has an issue") { file, _ in
            file.text.comments.indices.filter { index in
                let comment = file.text.comments[index]
                return comment.contains(/(?:^|\W)(?:TODO|FIXME|HACK)(?:\W|$)/) && !comment.contains(/#\d+/)
            }.map { ($0 + 1, "name the issue, as in 'TODO #12'") }
        },
    ]
}

extension SourceFile {
    /// The unbroken run of comment lines and attributes right above a line (from 1).
    func commentAbove(line: Int) -> String {
        var comment: [String] = []
        var index = line - 2
        while index >= 0, text.raw[index].contains(/^\s*(?:\/\/|@)/) {
            comment.append(text.raw[index])
            index -= 1
        }
        return comment.joined(separator: "\n")
    }
}
