import WireFormats

/// Writes RFC 3339 timestamps in UTC with milliseconds; the part before the dot is kept for lines of the same second.
struct TimestampText: ~Copyable {
    private var second = Int64.min
    private var text = ByteText(capacity: 32)

    init() {}

    /// Appends `2026-11-23T10:00:00.123Z` for this many nanoseconds since 1970.
    mutating func append(nanoseconds: Int64, to bytes: inout ByteText) {
        let whole = floorDivide(nanoseconds, 1_000_000_000)
        if whole != second {
            second = whole
            text.removeAll()
            TimestampText.write(second: whole, to: &text)
        }
        text.withUnsafeBytes { bytes.append(bytes: $0) }
        let milliseconds = Int((nanoseconds &- whole &* 1_000_000_000) / 1_000_000)
        bytes.append(UInt8(ascii: "."))
        bytes.append(padded: milliseconds, digits: 3)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// Civil date from days since 1970, after Howard Hinnant's `civil_from_days`.
    private static func write(second: Int64, to text: inout ByteText) {
        let days = floorDivide(second, 86_400)
        let inDay = Int(second - days * 86_400)
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let day = Int(dayOfYear - (153 * monthIndex + 2) / 5 + 1)
        let month = Int(monthIndex < 10 ? monthIndex + 3 : monthIndex - 9)
        let year = Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0)
        text.append(padded: year, digits: 4)
        for (separator, value) in [
            ("-", month), ("-", day), ("T", inDay / 3600), (":", inDay / 60 % 60), (":", inDay % 60),
        ] as [(StaticString, Int)] {
            text.append(separator)
            text.append(padded: value, digits: 2)
        }
    }
}

private func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
}
