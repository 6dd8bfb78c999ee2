import EngineModel
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
