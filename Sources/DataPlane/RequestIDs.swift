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
            for (index, byte) in "req-".utf8.enumerated() { room[index] = byte }
            for index in 0..<24 {
                let word = index < 16 ? first : second
                let shift = UInt64((index & 15) * 4)
                let digit = UInt8(truncatingIfNeeded: (word &>> shift) & 15)
                room[4 + index] = digit < 10 ? 0x30 + digit : 0x57 + digit
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
