/// The query of a URI, decoded (`application/x-www-form-urlencoded`). A repeated name is refused where it is read.
struct Query: Sendable {
    private var pairs: [(name: String, value: String)] = []

    /// Nil when an escape is broken or the bytes are no UTF-8.
    init?(_ query: String?) {
        for pair in (query ?? "").split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentEncoding.decode(sides[0], plusIsSpace: true),
                let value = PercentEncoding.decode(sides.count > 1 ? sides[1] : "", plusIsSpace: true)
            else { return nil }
            pairs.append((name, value))
        }
    }

    /// Nil when the parameter is absent. Throws when it is given twice.
    func text(_ name: String) throws(Failure) -> String? {
        let values = pairs.filter { $0.name == name }
        guard values.count <= 1 else {
            throw .badRequest("The query parameter '\(name)' is given more than once.", parameter: name)
        }
        return values.first?.value
    }

    func integer(_ name: String, in range: ClosedRange<Int>, default standard: Int) throws(Failure) -> Int {
        guard let text = try text(name) else { return standard }
        guard let value = Int(text), range.contains(value) else {
            throw .badRequest(
                "'\(name)' must be a whole number from \(range.lowerBound) to \(range.upperBound).", parameter: name)
        }
        return value
    }
}

/// Percent-encoding (RFC 3986 §2.1).
enum PercentEncoding {
    /// Nil when an escape is broken or the result is no UTF-8.
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
