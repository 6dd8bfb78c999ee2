import Testing

/// The tree itself keeps the house rules.
struct HouseTests {
    @Test(arguments: HouseRule.all)
    func `the tree keeps the rule`(rule: HouseRule) throws {
        let rooms = RoomTable(markdown: try SourceTree.text("ARCHITECTURE.md"))
        let files = try SourceTree.swiftFiles()
        #expect(files.count > 20, "the tree was not found")
        let findings = files.flatMap { rule.findings(in: $0, rooms: rooms) }
        #expect(findings.isEmpty, "\(rule.name):\n\(findings.map(\.description).joined(separator: "\n"))")
    }

    @Test func `the table of rooms is sound`() throws {
        let rooms = RoomTable(markdown: try SourceTree.text("ARCHITECTURE.md"))
        #expect(rooms.rooms.count >= 12)
        #expect(rooms.complaints == [])
    }

    @Test func `the package declares the arrows of the table and no others`() throws {
        let rooms = RoomTable(markdown: try SourceTree.text("ARCHITECTURE.md"))
        let manifest = PackageArrows(manifest: try SourceTree.text("Package.swift"))
        for room in rooms.rooms {
            let declared = manifest.arrows[room.name]?.filter { rooms.room($0) != nil }
            #expect(declared.map { Set($0) } == room.arrows, "Package.swift and ARCHITECTURE.md differ on \(room.name)")
        }
    }
}
