import Testing

struct SwiftTextTests {
    @Test(arguments: [
        ("let a = 1 // rest", "let a = 1"),
        ("a /* b /* c */ d */ e", "a                   e"),
        ("say(\"} // {\") + 1", "say(        ) + 1"),
        ("say(\"a\\\"b\") + 1", "say(      ) + 1"),
        ("say(\"a\\(f(\")\"))b\") + 1", "say(             ) + 1"),
        ("say(#\"a\"b\\\"#) + 1", "say(        ) + 1"),
        ("\"unclosed", ""),
        ("#if DEBUG", "#if DEBUG"),
    ])
    func `comments and strings are blanked in place`(source: String, code: String) {
        let line = SwiftText(source).code[0]
        #expect(line.utf8.count == source.utf8.count)
        #expect(line.trimmingSuffix { $0 == " " } == code)
    }

    @Test func `a string over several lines keeps the line numbers`() {
        let text = SwiftText("let a = \"\"\"\n  { \"quoted\" \\(x)\n  \"\"\"\nlet b = 1\n")
        #expect(text.code.count == text.raw.count)
        #expect(text.code[1].allSatisfy { $0 == " " })
        #expect(text.code[3] == "let b = 1")
    }

    @Test func `the names of types are found, not words in text`() {
        let file = SourceFile(
            path: "Sources/A/B.swift", source: "struct A {}\nclass func f() {}\n// enum C\nactor D {}\n")
        #expect(file.typeNames.map(\.name) == ["A", "D"])
    }
}

extension String {
    fileprivate func trimmingSuffix(while drop: (Character) -> Bool) -> String {
        var copy = self[...]
        while let last = copy.last, drop(last) { copy = copy.dropLast() }
        return String(copy)
    }
}
