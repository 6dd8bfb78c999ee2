import Glibc

/// One axis of a plot: where values lie on it, and what is written beside it.
struct PlotScale {
    struct Tick {
        var value: Double
        /// 0 to 1 of the axis.
        var place: Double
        var label: String
    }

    private let low: Double
    private let high: Double
    private let isLogarithmic: Bool
    private(set) var ticks: [Tick] = []

    private init(_ low: Double, _ high: Double, isLogarithmic: Bool = false) {
        self.low = low
        self.high = high
        self.isLogarithmic = isLogarithmic
    }

    /// 0 to 1; what lies outside is at the edge.
    func place(_ value: Double) -> Double {
        let (bottom, top, at) =
            isLogarithmic ? (log10(low), log10(high), log10(max(value, low))) : (low, high, value)
        return min(1, max(0, (at - bottom) / (top - bottom)))
    }

    /// From 0 to at least `top`, with round ticks.
    static func linear(upTo top: Double) -> PlotScale {
        let target = max(top, 1e-9)
        let power = pow(10, floor(log10(target)))
        let step = [0.2, 0.5, 1, 2].map { $0 * power }.first { target / $0 <= 5 } ?? 2 * power
        let steps = Int((target / step).rounded(.up))
        return marked(upTo: step * Double(steps), (0...steps).map { (step * Double($0), (step * Double($0)).short) })
    }

    /// From 0 to exactly `top`, with these ticks.
    static func marked(upTo top: Double, _ marks: [(value: Double, label: String)]) -> PlotScale {
        var scale = PlotScale(0, max(top, 1e-9))
        scale.ticks = marks.map { Tick(value: $0.value, place: scale.place($0.value), label: $0.label) }
        return scale
    }

    /// Round ticks from 0 on, and then to exactly `end`.
    static func whole(to end: Double) -> PlotScale {
        let round = linear(upTo: end)
        return marked(upTo: end, round.ticks.filter { $0.value <= end }.map { ($0.value, $0.label) })
    }

    /// Between round values around `low` and `high`, each at least a thousandth.
    static func logarithmic(from low: Double, to high: Double) -> PlotScale {
        let rounds = (-3...12).flatMap { power in [1, 2, 5].map { $0 * pow(10, Double(power)) } }
        let bottom = rounds.last { $0 <= max(low, 1e-3) } ?? 1e-3
        let top = rounds.first { $0 >= high && $0 > bottom } ?? 1e12
        var scale = PlotScale(bottom, top, isLogarithmic: true)
        let inside = rounds.filter { $0 >= bottom && $0 <= top }
        // Over more than three decades only the decades are written.
        let shown = inside.count <= 10 ? inside : inside.filter { log10($0).rounded() == log10($0) }
        scale.ticks = shown.map { Tick(value: $0, place: scale.place($0), label: $0.short) }
        return scale
    }
}
