/// The rooms and the arrows between them, read from the table in `ARCHITECTURE.md`: that table is their one declaration.
struct RoomTable {
    enum Ring: String {
        case core
        case adapter
        case mode
    }

    struct Room {
        var name: String
        var ring: Ring
        /// Rooms that it may import.
        var arrows: Set<String>
        /// Other modules; complete for core rooms.
        var outside: Set<String>
    }

    private(set) var rooms: [Room] = []

    /// Reads every table row whose second cell is a ring. Columns: room, ring, may import, outside, holds.
    init(markdown: String) {
        for line in markdown.split(separator: "\n") where line.hasPrefix("|") {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().map(Self.trimmed)
            guard cells.count >= 5, let ring = Ring(rawValue: cells[1]) else { continue }
            rooms.append(
                Room(name: cells[0], ring: ring, arrows: Self.names(cells[2]), outside: Self.names(cells[3])))
        }
    }

    func room(_ name: String) -> Room? { rooms.first { $0.name == name } }

    /// What is wrong with the table itself: arrows to rooms that are not there, out of the core, in a circle, or
    /// between stores.
    var complaints: [String] {
        var found: [String] = []
        var earlier: Set<String> = []
        for room in rooms {
            for arrow in room.arrows.sorted() {
                guard let target = self.room(arrow) else {
                    found.append("\(room.name) may import \(arrow), which is no room")
                    continue
                }
                if room.ring == .core && target.ring != .core {
                    found.append("\(room.name) is core and may not import \(arrow)")
                }
                if Self.isStore(room.name) && Self.isStore(arrow) {
                    found.append("\(room.name) and \(arrow) are stores: neither may import the other")
                }
                if !earlier.contains(arrow) {
                    found.append("\(room.name) imports \(arrow), which must stand above it: arrows never form a circle")
                }
            }
            earlier.insert(room.name)
        }
        return found
    }

    /// `JobStores` holds the contract, so a store of its own (`JobStoreRedis`) may import it.
    private static func isStore(_ name: String) -> Bool { name.hasPrefix("JobStore") && name != "JobStores" }

    private static func trimmed(_ cell: Substring) -> String {
        String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }

    private static func names(_ cell: String) -> Set<String> {
        Set(cell.split(separator: ",").map { trimmed($0) }.filter { !$0.isEmpty })
    }
}
