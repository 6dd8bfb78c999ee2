import WireFormats

/// Calls `body` with the bytes of a text.
func withBytes<R>(_ text: String, _ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try Array(text.utf8).withUnsafeBytes(body)
}

func scan(_ text: String, _ kind: RequestKind = .chat, _ limits: ScanLimits = ScanLimits()) throws -> RequestScan {
    try withBytes(text) { try RequestScan.scan($0, kind: kind, limits: limits) }
}

/// The failure of a scan, or nil when it passed.
func scanFailure(_ text: String, _ kind: RequestKind = .chat, _ limits: ScanLimits = ScanLimits()) -> ScanFailure? {
    do {
        _ = try scan(text, kind, limits)
        return nil
    } catch { return error as? ScanFailure }
}

/// The bytes of a range of a text.
func slice(_ text: String, _ range: Range<Int>) -> String {
    String(decoding: Array(text.utf8)[range], as: UTF8.self)
}

/// SplitMix64: the same numbers in every process.
struct Noise: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Changes a text in a few places: flips, deletes, inserts, repeats and swaps bytes.
func mutated(_ bytes: [UInt8], _ random: inout Noise) -> [UInt8] {
    var bytes = bytes
    let spice: [UInt8] = Array("\"\\{}[],: \n\r\t0u\0\u{7F}".utf8) + [0x80, 0xFF, 0xC3, 0xED, 0xF4]
    for _ in 0..<Int.random(in: 1...4, using: &random) {
        let at = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &random)
        let value = spice.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<5, using: &random) {
        case 0 where !bytes.isEmpty: bytes[at] = value
        case 1 where !bytes.isEmpty: bytes.remove(at: at)
        case 2: bytes.insert(value, at: at)
        case 3 where !bytes.isEmpty:
            bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...20, using: &random)))
        default:
            let end = min(bytes.count, at + Int.random(in: 0...20, using: &random))
            bytes.insert(contentsOf: bytes[at..<end], at: at)
        }
    }
    return bytes
}

/// Whether a comma stands before a closing bracket somewhere, which Foundation's parser lets pass.
func hasTrailingComma(_ bytes: [UInt8]) -> Bool {
    let solid = bytes.filter { $0 > 0x20 }
    return zip(solid, solid.dropFirst()).contains {
        $0 == UInt8(ascii: ",") && ($1 == UInt8(ascii: "]") || $1 == UInt8(ascii: "}"))
    }
}
