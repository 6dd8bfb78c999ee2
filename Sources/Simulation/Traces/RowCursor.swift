/// Reads a row of a trace byte by byte.
struct RowCursor {
    private var rest: ArraySlice<UInt8>

    init(_ row: ArraySlice<UInt8>) { rest = row }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func skip(_ character: Character) -> Bool {
        guard let wanted = character.asciiValue, rest.first == wanted else { return false }
        rest = rest.dropFirst()
        return true
    }

    /// All digits that follow, or exactly `digits` of them; nil when there are none, too few, or too many for the type.
    mutating func number(digits: Int? = nil) -> Int? {
        var value = 0
        var count = 0
        while let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte), count < digits ?? 18 {
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            count += 1
            rest = rest.dropFirst()
        }
        guard count > 0, digits == nil || count == digits else { return nil }
        return value
    }

    /// A fraction's digits as nanoseconds; those beyond the ninth are dropped.
    mutating func nanoseconds() -> Int64? {
        var value: Int64 = 0
        var count = 0
        while let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            if count < 9 { value = value * 10 + Int64(byte - UInt8(ascii: "0")) }
            count += 1
            rest = rest.dropFirst()
        }
        guard count > 0 else { return nil }
        for _ in count..<max(count, 9) { value *= 10 }
        return value
    }
}
