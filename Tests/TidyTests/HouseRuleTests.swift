import Testing

/// The rules themselves: each catches a bad sample and lets a good one pass.
struct HouseRuleTests {
    /// A file that breaks one rule, and one beside it that does not.
    struct Sample: Sendable, CustomTestStringConvertible {
        var rule: String
        var path: String = "Sources/Inner/Sample.swift"
        var bad: [String]
        var good: [String] = []
        var testDescription: String { rule }
    }

    static let rooms = RoomTable(
        markdown: """
            | room | ring | may import | outside | holds |
            |---|---|---|---|---|
            | Inner | core | | Glibc | values |
            | Other | core | Inner | | values |
            | Socket | adapter | Inner | NIO | sockets |
            | App | mode | Inner, Socket | | commands |
            """)

    static let samples: [Sample] =
        dependencySamples + puritySamples + safetySamples + sizeSamples + namingSamples

    static let dependencySamples = [
        Sample(rule: "Every target is a room of the table", path: "Sources/Attic/A.swift", bad: ["let a = 1"]),
        Sample(
            rule: "Rooms import only the rooms that the table allows", path: "Sources/Socket/A.swift",
            bad: ["import Other", "package import App", "import struct Other.Thing"],
            good: ["import Inner", "package import NIOCore", "// import Other"]),
        Sample(
            rule: "Core rooms import rooms and what the table allows, nothing else",
            bad: ["import Foundation", "import Synchronization", "package import NIOCore"],
            good: ["import Glibc", "let text = \"import Foundation\""]),
    ]

    static let puritySamples = [
        Sample(
            rule: "The core reads no clock",
            bad: ["let now = ContinuousClock.now", "let d = Date()", "clock_gettime(CLOCK_MONOTONIC, &t)"],
            good: ["let d = Date.distantPast", "/// Not a ContinuousClock."]),
        Sample(
            rule: "The core is synchronous", bad: ["func go() async {}", "await go()"],
            good: ["case async", "pick(.async, from: x)", "let asynchronous = 1"]),
        Sample(rule: "The core takes no lock", bad: ["let m = Mutex(0)"], good: ["let mutexes = 1"]),
        Sample(
            rule: "The core's randomness is an argument",
            bad: ["let x = Int.random(in: 0..<4)", "list.shuffled()", "var h = Hasher()"],
            good: ["let x = Int.random(in: 0..<4, using: &generator)", "list.shuffled(using: &generator)"]),
        Sample(
            rule: "Only the executable prints", bad: ["print(1)", "debugPrint(1)"],
            good: ["blueprint(1)", "out.print(1)", "/* print(1) */"]),
        Sample(
            rule: "Tasks are structured",
            bad: [
                "Task { work() }", "Task.detached { work() }", "Task(priority: .high) { work() }",
                "let t = Task<Int, Never> { 1 }",
            ],
            good: ["group.addTask { work() }", "withTaskGroup { g in }", "try Task.checkCancellation()"]),
        Sample(
            rule: "Tests do not sleep", path: "Tests/InnerTests/A.swift",
            bad: ["try await Task.sleep(for: .seconds(1))", "usleep(10)"], good: ["clock.sleep(until: now)"]),
    ]

    static let safetySamples = [
        Sample(
            rule: "Nothing crashes without a reason",
            bad: ["try! go()", "x as! Int", "fatalError(\"never\")"],
            good: ["try? go()", "x as? Int", "// fatalError( is not for us"]),
        Sample(
            rule: "Unchecked sendability says why it is safe",
            bad: [
                "final class A: @unchecked Sendable {}", "nonisolated(unsafe) var a = 1",
                "// Safe because it is.\n\nfinal class A: @unchecked Sendable {}",
            ],
            good: [
                "// Safe because its one field is written before it is shared.\nfinal class A: @unchecked Sendable {}"
            ]),
        Sample(
            rule: "What is left to do has an issue", bad: ["// TODO: later", "let a = 1  // FIXME"],
            good: ["// TODO #12: later", "let todo = 1"]),
    ]

    static let sizeSamples = [
        Sample(
            rule: "Files have at most 500 lines, or say why", bad: [String(repeating: "let a = 1\n", count: 501)],
            good: [
                String(repeating: "let a = 1\n", count: 400),
                "// Long because a table is easier to read in one piece.\n" + String(repeating: "//\n", count: 600),
            ]),
        Sample(
            rule: "Functions have at most 60 lines",
            bad: [
                function("func go(a: () -> Int = { 1 }) -> Int", lines: 61),
                function("init?(from x: Int)", lines: 70),
                "struct A {\n" + function("subscript(at: Int) -> Int", lines: 90) + "}\n",
            ],
            good: [
                function("func go()", lines: 60),
                function("func first()", lines: 50) + function("func second()", lines: 50),
                "protocol P {\n    func go()\n}\n" + function("struct S", lines: 90),
                "func go() {\n    let brace = \"{\"  // {\n}\n" + function("enum E", lines: 90),
            ]),
    ]

    static let namingSamples = [
        Sample(
            rule: "Types are named for what they are",
            bad: [
                "struct QueueManager {}", "enum StringUtils {}", "final class SocketImpl {}", "protocol StoreBase {}",
            ],
            good: ["struct Queue {}", "struct Database {}", "func newHelper() {}"]),
        Sample(
            rule: "No target is named after a type in it", bad: ["enum Inner {}"], good: ["enum Outer {}"]),
    ]

    /// A declaration whose keyword and closing brace are this many lines apart, both counted.
    private static func function(_ head: String, lines: Int) -> String {
        head + " {\n" + String(repeating: "    work()\n", count: lines - 2) + "}\n"
    }

    @Test func `every rule has a sample`() {
        #expect(Set(HouseRule.all.map(\.name)) == Set(Self.samples.map(\.rule)))
        #expect(HouseRule.all.count == Self.samples.count)
    }

    @Test(arguments: samples)
    func `a rule catches what breaks it and nothing else`(sample: Sample) throws {
        let rule = try #require(HouseRule.all.first { $0.name == sample.rule })
        for text in sample.bad {
            let file = SourceFile(path: sample.path, source: text)
            #expect(!rule.findings(in: file, rooms: Self.rooms).isEmpty, "not caught: \(text.prefix(200))")
        }
        for text in sample.good {
            let file = SourceFile(path: sample.path, source: text)
            let findings = rule.findings(in: file, rooms: Self.rooms)
            #expect(findings.isEmpty, "wrongly caught: \(findings) in \(text.prefix(200))")
        }
    }

    @Test func `a table with wrong arrows is refused`() {
        let rows = """
            | Inner | core | Socket | | |
            | Socket | adapter | Nowhere | | |
            | JobStoreA | adapter | | | |
            | JobStoreB | adapter | JobStoreA | | |
            """
        let complaints = RoomTable(markdown: rows).complaints
        #expect(complaints.contains { $0.contains("Inner is core") })
        #expect(complaints.contains { $0.contains("Nowhere, which is no room") })
        #expect(complaints.contains { $0.contains("must stand above") })
        #expect(complaints.contains { $0.contains("are stores") })
        #expect(Self.rooms.complaints == [])
    }
}
