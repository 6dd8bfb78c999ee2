/// A seeded stream of lognormal factors with mean 1, for step times.
///
/// The normal draw is the sum of twelve uniform ones, and the exponential a short series (`Series`).
struct StepNoise: Sendable {
    private var state: UInt64
    private let sigma: Double

    init(seed: UInt64, sigma: Double) {
        state = seed
        self.sigma = sigma
    }

    mutating func factor() -> Double {
        guard sigma > 0 else { return 1 }
        var sum = 0.0
        for _ in 0..<3 {
            var word = nextWord()
            for _ in 0..<4 {
                sum += Double(word & 0xffff)
                word >>= 16
            }
        }
        let normal = sum / 65536 - 6
        return Series.exponential(sigma * normal - sigma * sigma / 2)
    }

    /// SplitMix64.
    private mutating func nextWord() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
