import FleetTracking

/// A set of event loop indices without an allocation: one bit for each of the `WorkID.maximumHomes` loops.
struct LoopSet {
    private var bits = SIMD4<UInt64>(repeating: 0)

    mutating func insert(_ index: Int) { bits[index &>> 6] |= 1 &<< UInt64(index & 63) }

    /// Calls `body` for each member, in ascending order.
    func forEach(_ body: (Int) -> Void) {
        for word in 0..<4 {
            var rest = bits[word]
            while rest != 0 {
                body(word &* 64 &+ rest.trailingZeroBitCount)
                rest &= rest &- 1
            }
        }
    }
}
