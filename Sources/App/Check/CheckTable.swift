/// The table that `neap check` prints.
enum CheckTable {
    static func render(_ findings: [EndpointFinding]) -> String {
        let rows =
            [["POOL", "ENDPOINT", "STATE", "METRICS", "MODELS"]]
            + findings.map { [$0.pool, $0.url, $0.fault ?? "well", $0.metrics, $0.models] }
        let widths = (0..<5).map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            var line = ""
            for (cell, width) in zip(row, widths) {
                line += cell + String(repeating: " ", count: width - cell.count + 2)
            }
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The first names and how many there are.
    static func models(_ names: [String]) -> String {
        if names.isEmpty { return "none told" }
        let shown = names.prefix(3).joined(separator: ", ")
        return names.count > 3 ? "\(shown) and \(names.count - 3) more" : shown
    }
}
