import WireFormats

/// Ids for requests that bring none: `req-` and 24 hexadecimal digits. Not secrets.
struct RequestIDs {
    private var state: UInt64
    private let stream: UInt64

    init(seed: UInt64) {
        state = seed
        stream = seed.byteSwapped | 1
    }

    mutating func next() -> String {
        state = state &+ 0x9e37_79b9_7f4a_7c15
        let first = RequestIDs.mix(state)
        let second = RequestIDs.mix(state ^ stream)
        return String(unsafeUninitializedCapacity: 28) { room in
            let room = UnsafeMutableRawBufferPointer(room)
            room.copyBytes(from: "req-".utf8)
            for (place, part) in [UInt32(truncatingIfNeeded: first), UInt32(first &>> 32), UInt32(second &>> 32)]
                .enumerated()
            {
                room.storeBytes(of: HexDigits.of(part), toByteOffset: 4 + 8 * place, as: UInt64.self)
            }
            return 28
        }
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
