import WireFormats

/// One JSON line of a trace, read field by field; what is wrong names file, line and field.
struct RowFields {
    /// About 35 years.
    static let longestMilliseconds = 1 << 40

    let file: String
    let line: Int
    private let row: JSONValue

    init(_ bytes: ArraySlice<UInt8>, file: String, line: Int) throws(TraceFault) {
        guard let row = try? JSONValue.parse(Array(bytes)) else {
            throw TraceFault(file: file, line: line, message: "is not JSON")
        }
        self.file = file
        self.line = line
        self.row = row
    }

    subscript(_ name: String) -> JSONValue? { row[name] }

    func whole(_ name: String, _ range: ClosedRange<Int>) throws(TraceFault) -> Int {
        guard let found = row[name]?.int, range.contains(found) else {
            throw fault(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return found
    }

    /// A number of milliseconds, in nanoseconds.
    func milliseconds(_ name: String) throws(TraceFault) -> Int64 {
        guard let found = row[name]?.double, found >= 0, found <= Double(RowFields.longestMilliseconds) else {
            throw fault(name, "must be a number from 0 to \(RowFields.longestMilliseconds)")
        }
        return Int64((found * 1e6).rounded())
    }

    func fault(_ name: String, _ rule: String) -> TraceFault {
        TraceFault(file: file, line: line, message: "\(name) \(rule)")
    }
}
