extension HouseRule {
    /// Rules about imports. The table of rooms is in `ARCHITECTURE.md`.
    static let dependencyRules: [HouseRule] = [
        HouseRule(name: "Every target is a room of the table") { file, rooms in
            guard file.isSource, rooms.room(file.room) == nil else { return [] }
            return [(0, "\(file.room) is not in the table of rooms in ARCHITECTURE.md")]
        },
        HouseRule(name: "Rooms import only the rooms that the table allows") { file, rooms in
            guard file.isSource, let room = rooms.room(file.room) else { return [] }
            return file.imports.filter { rooms.room($0.module) != nil && !room.arrows.contains($0.module) }
                .map { ($0.line, "\(room.name) may not import \($0.module)") }
        },
        HouseRule(name: "Core rooms import rooms and what the table allows, nothing else") { file, rooms in
            guard isCore(file, rooms), let room = rooms.room(file.room) else { return [] }
            return file.imports.filter { rooms.room($0.module) == nil && !room.outside.contains($0.module) }
                .map { ($0.line, "\(room.name) is core and may not import \($0.module)") }
        },
    ]
}
