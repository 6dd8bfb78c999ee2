/// One range of a `Range` header (RFC 9110 §14.1.2) on content of known length.
enum ByteRange: Equatable {
    /// No usable range: send everything with 200. Also for several ranges, which a server may ignore.
    case whole
    case part(Range<Int>)
    /// 416.
    case unsatisfiable

    init(header: String?, length: Int) {
        self = .whole
        guard let header, header.hasPrefix("bytes="), !header.contains(",") else { return }
        let sides = header.dropFirst("bytes=".count).split(separator: "-", omittingEmptySubsequences: false)
        guard sides.count == 2, let first = ByteRange.number(sides[0]), let last = ByteRange.number(sides[1]) else {
            return
        }
        switch (first, last) {
        case (nil, nil): return
        case (nil, let suffix?):
            self = suffix == 0 || length == 0 ? .unsatisfiable : .part(max(0, length - suffix)..<length)
        case (let first?, let last):
            if let last, last < first { return }
            guard first < length else {
                self = .unsatisfiable
                return
            }
            self = .part(first..<(min(last ?? length - 1, length - 1) + 1))
        }
    }

    /// Nil: no number. `.some(nil)`: empty.
    private static func number(_ text: Substring) -> Int?? {
        if text.isEmpty { return .some(nil) }
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), text.utf8.count <= 18
        else { return nil }
        return Int(text)
    }
}
