import EngineModel
import FleetTracking

/// Draws from the distributions that made-up traffic needs. Only basic operations and square roots take part, which
/// every platform rounds alike.
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

    /// Mean 1, and this coefficient of variation: gamma-distributed (Marsaglia and Tsang 2000). 1 is the exponential
    /// distribution, 0 none at all.
    mutating func gamma(variation: Double) -> Double {
        if variation <= 0 { return 1 }
        if variation == 1 { return exponential() }
        let shape = 1 / (variation * variation)
        // Shapes below 1 are drawn from the next higher and scaled down.
        let raised = shape < 1 ? shape + 1 : shape
        let scale = shape < 1 ? Series.exponential(Series.logarithm(max(0x1p-53, unit())) / shape) : 1
        let third = raised - 1 / 3
        let width = 1 / (9 * third).squareRoot()
        while true {
            let drawn = exactNormal()
            let root = 1 + width * drawn
            guard root > 0 else { continue }
            let cube = root * root * root
            let bound = drawn * drawn / 2 + third - third * cube + third * Series.logarithm(cube)
            if Series.logarithm(max(0x1p-53, unit())) < bound { return scale * third * cube / shape }
        }
    }

    /// Mean 0, deviation 1, with true tails (Marsaglia's polar method).
    private mutating func exactNormal() -> Double {
        while true {
            let (x, y) = (2 * unit() - 1, 2 * unit() - 1)
            let square = x * x + y * y
            if square > 0, square < 1 { return x * (-2 * Series.logarithm(square) / square).squareRoot() }
        }
    }
}
