import FleetTracking

/// Draws from the distributions that made-up traffic needs. Only additions and multiplications take part, so every
/// platform gets the same numbers.
extension SeededGenerator {
    /// Mean 1.
    mutating func exponential() -> Double { -Series.logarithm(max(0x1p-53, unit())) }

    /// Mean 0, deviation 1: the sum of twelve uniform draws.
    mutating func normal() -> Double {
        var sum = -6.0
        for _ in 0..<12 { sum += unit() }
        return sum
    }

    /// A length of tokens: lognormal around the median, within 1 and `most`.
    mutating func tokens(median: Double, sigma: Double, most: Int) -> Int {
        let drawn = median * Series.exponential(sigma * normal())
        return min(max(1, most), max(1, Int(min(1e9, drawn))))
    }
}

/// Elementary functions by their series.
enum Series {
    /// Exact to 1e-9 for |x| ≤ 8.
    static func exponential(_ argument: Double) -> Double {
        let bounded = min(700, max(-700, argument))
        if bounded > 0.25 || bounded < -0.25 {
            let half = exponential(bounded / 2)
            return half * half
        }
        var term = 1.0
        var sum = 1.0
        for power in 1...8 {
            term *= bounded / Double(power)
            sum += term
        }
        return sum
    }

    /// Of a positive number; exact to 1e-9.
    static func logarithm(_ argument: Double) -> Double {
        let ratio = (argument.significand - 1) / (argument.significand + 1)
        var power = ratio
        var sum = 0.0
        for index in 0..<12 {
            sum += power / Double(2 * index + 1)
            power *= ratio * ratio
        }
        return 2 * sum + Double(argument.exponent) * 0.693_147_180_559_945_3
    }
}
