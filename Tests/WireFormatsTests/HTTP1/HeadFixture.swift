import WireFormats

/// What a parser made of some bytes, by value: equal for every way of cutting them.
enum RequestReading: Equatable {
    case incomplete
    case head(method: String, target: String, fields: [String], length: Int)
    case refused(HTTPRefusal)
}

func text(_ bytes: [UInt8], _ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

/// Parses `bytes`, given in growing prefixes that end at `cuts` and then whole.
func readRequest(_ bytes: [UInt8], cuts: [Int] = [], limits: HTTPLimits = HTTPLimits()) -> RequestReading {
    var parser = RequestHeadParser(limits: limits)
    var progress = HeadProgress.incomplete
    for end in cuts + [bytes.count] {
        progress = Array(bytes[..<end]).withUnsafeBytes { parser.parse($0) }
        guard progress == .incomplete else { break }
    }
    switch progress {
    case .incomplete: return .incomplete
    case .refused(let refusal): return .refused(refusal)
    case .complete(let length):
        let head = parser.head
        return .head(
            method: text(bytes, head.methodRange), target: text(bytes, head.targetRange),
            fields: head.fields.all.map { text(bytes, $0.nameRange) + "=" + text(bytes, $0.valueRange) },
            length: length)
    }
}

func readRequest(_ string: String, limits: HTTPLimits = HTTPLimits()) -> RequestReading {
    readRequest(Array(string.utf8), limits: limits)
}

/// A small seeded generator, so that a failure can be run again.
struct SeededBytes: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_f491_4f6c_dd1d
    }
}
