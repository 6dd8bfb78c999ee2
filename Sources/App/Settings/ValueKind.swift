import FleetTracking

/// How one kind of value is written, and which values are allowed.
struct ValueKind<Value: Sendable & Equatable>: Sendable {
    /// What a reader calls it: `integer`, `duration`, …
    var name: String
    /// Completes "allowed: …" in an error and the reference.
    var allowed: String
    /// Nil: not allowed.
    var parse: @Sendable (String) -> Value?
    /// Writes a value so that `parse` reads it back.
    var render: @Sendable (Value) -> String
}

extension ValueKind where Value == Bool {
    static let boolean = ValueKind(
        name: "boolean", allowed: "true or false", parse: { Bool($0) }, render: { String($0) })
}

extension ValueKind where Value == Int {
    static func integer(_ range: ClosedRange<Int>) -> ValueKind {
        ValueKind(
            name: "integer", allowed: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text in Int(text).flatMap { range.contains($0) ? $0 : nil } }, render: { String($0) })
    }

    /// Bytes: a number with B, KB, MB, GB (powers of 1000) or KiB, MiB, GiB (powers of 1024).
    static func size(_ range: ClosedRange<Int>) -> ValueKind {
        ValueKind(
            name: "size",
            allowed: "bytes with a unit, such as 64KiB, 32MiB or 1GB, from \(SizeText.render(range.lowerBound)) to "
                + SizeText.render(range.upperBound),
            parse: { text in SizeText.parse(text).flatMap { range.contains($0) ? $0 : nil } },
            render: SizeText.render)
    }
}

extension ValueKind where Value == Double {
    static func decimal(_ range: ClosedRange<Double>) -> ValueKind {
        ValueKind(
            name: "number", allowed: "a number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text in Double(text).flatMap { range.contains($0) ? $0 : nil } }, render: { String($0) })
    }
}

extension ValueKind where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> ValueKind {
        ValueKind(
            name: "duration",
            allowed:
                "a time with a unit, such as 150ms, 30s, 5m or 24h, from \(DurationText.render(range.lowerBound)) to "
                + DurationText.render(range.upperBound),
            parse: { text in DurationText.parse(text).flatMap { range.contains($0) ? $0 : nil } },
            render: DurationText.render)
    }
}

extension ValueKind where Value == String {
    /// Any text, or "" for "not set".
    static func text(_ allowed: String) -> ValueKind {
        ValueKind(name: "text", allowed: allowed, parse: { $0 }, render: { $0 })
    }

    static func choice(_ words: [String]) -> ValueKind {
        ValueKind(
            name: "word", allowed: words.joined(separator: ", "), parse: { words.contains($0) ? $0 : nil },
            render: { $0 })
    }
}

/// Times as people write them.
enum DurationText {
    private static let units: [(suffix: String, nanoseconds: Int64)] = [
        ("ms", 1_000_000), ("us", 1_000), ("ns", 1), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]

    /// A whole number or a decimal with a unit; nil without one, when negative, or beyond what an `Int64` of
    /// nanoseconds holds.
    static func parse(_ text: String) -> Duration? {
        for unit in units where text.hasSuffix(unit.suffix) {
            let number = text.dropLast(unit.suffix.count)
            guard number.first?.isNumber == true else { continue }
            if let whole = Int64(number) {
                let (product, overflow) = whole.multipliedReportingOverflow(by: unit.nanoseconds)
                return overflow ? nil : .nanoseconds(product)
            }
            guard let decimal = Double(number), decimal.isFinite, decimal * Double(unit.nanoseconds) < 9e18 else {
                return nil
            }
            return .nanoseconds(Int64((decimal * Double(unit.nanoseconds)).rounded()))
        }
        return nil
    }

    /// In the greatest unit that leaves a whole number.
    static func render(_ duration: Duration) -> String {
        let nanoseconds = duration.wholeNanoseconds
        if nanoseconds == 0 { return "0s" }
        let bySize = units.sorted { $0.nanoseconds > $1.nanoseconds }
        for unit in bySize where nanoseconds % unit.nanoseconds == 0 {
            return "\(nanoseconds / unit.nanoseconds)\(unit.suffix)"
        }
        return "\(nanoseconds)ns"
    }
}

/// Numbers of bytes as people write them.
enum SizeText {
    private static let units: [(suffix: String, bytes: Int)] = [
        ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1_000),
        ("B", 1),
    ]

    static func parse(_ text: String) -> Int? {
        for unit in units where text.hasSuffix(unit.suffix) {
            guard let number = Int(text.dropLast(unit.suffix.count)), number >= 0 else { return nil }
            let (product, overflow) = number.multipliedReportingOverflow(by: unit.bytes)
            return overflow ? nil : product
        }
        return Int(text).flatMap { $0 >= 0 ? $0 : nil }
    }

    static func render(_ bytes: Int) -> String {
        for unit in units where unit.bytes > 1 && bytes >= unit.bytes && bytes % unit.bytes == 0 {
            return "\(bytes / unit.bytes)\(unit.suffix)"
        }
        return "\(bytes)B"
    }
}
