extension HouseRule {
    /// Rules about names.
    static let namingRules: [HouseRule] = [
        HouseRule(name: "Types are named for what they are") { file, _ in
            file.typeNames.filter { $0.name.contains(/(?:Manager|Helpers?|Utils?|Common|Base|Impl|New)$/) }
                .map { ($0.line, "\($0.name) says nothing to an operator") }
        },
        HouseRule(name: "No target is named after a type in it") { file, _ in
            file.typeNames.filter { file.isSource && $0.name == file.room }
                .map { ($0.line, "the type \($0.name) hides its module's name") }
        },
    ]
}
