import Testing

/// Something that is against a house rule.
struct Finding: CustomStringConvertible {
    var path: String
    /// From 1; 0: the whole file.
    var line: Int
    var message: String

    var description: String { "\(path):\(line): \(message)" }
}

/// A rule that a program can check, one file at a time.
struct HouseRule: Sendable, CustomTestStringConvertible {
    /// A sentence that says what the rule demands.
    let name: String
    /// Line numbers (0: the whole file) and what is wrong there.
    let check: @Sendable (SourceFile, RoomTable) -> [(line: Int, message: String)]

    func findings(in file: SourceFile, rooms: RoomTable) -> [Finding] {
        check(file, rooms).map { Finding(path: file.path, line: $0.line, message: $0.message) }
    }

    var testDescription: String { name }

    static let all: [HouseRule] = dependencyRules + purityRules + safetyRules + sizeRules + namingRules

    /// A rule that forbids a pattern in some of the files.
    static func forbidding(
        _ pattern: @escaping @Sendable () -> Regex<Substring>, name: String, message: String,
        where applies: @escaping @Sendable (SourceFile, RoomTable) -> Bool
    ) -> HouseRule {
        HouseRule(name: name) { file, rooms in
            guard applies(file, rooms) else { return [] }
            return file.lines(matching: pattern()).map { ($0, message) }
        }
    }

    @Sendable static func isCore(_ file: SourceFile, _ rooms: RoomTable) -> Bool {
        file.isSource && rooms.room(file.room)?.ring == .core
    }
}
