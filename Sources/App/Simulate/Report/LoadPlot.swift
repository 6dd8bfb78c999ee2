/// What the endpoints had to do over time, with one policy.
struct LoadPlot {
    var name: String
    var style: String
    /// Of each endpoint.
    var endpoints: [[(seconds: Double, inFlight: Double)]]
    /// The axes' ends, the same for all policies.
    var seconds: Double
    var most: Double

    var html: String {
        let (unit, divisor) = seconds > 7200 ? ("h", 3600.0) : seconds > 300 ? ("min", 60.0) : ("s", 1.0)
        let lines = endpoints.map { points in points.map { (x: $0.seconds / divisor, y: $0.inFlight) } }
        // Slices of all endpoints begin and end together; the shortest row is as far as all of them were looked at.
        let shared = lines.map(\.count).min() ?? 0
        let columns = (0..<shared).map { index in lines.map { $0[index] } }
        let low = columns.map { column in (x: column[0].x, y: column.map(\.y).min() ?? 0) }
        let high = columns.map { column in (x: column[0].x, y: column.map(\.y).max() ?? 0) }
        let mean = columns.map { column in
            (x: column[0].x, y: column.map(\.y).reduce(0, +) / Double(column.count))
        }
        var drawn: [LinePlot.Line] = []
        if endpoints.count <= SimulationPage.mostLines {
            drawn = lines.enumerated().map {
                LinePlot.Line(name: "endpoint \($0)", style: "\(style) thin", points: $1)
            }
        }
        drawn.append(LinePlot.Line(name: "mean of \(endpoints.count) endpoints", style: style, points: mean))
        return LinePlot(
            summary: "Requests and jobs at each of \(endpoints.count) endpoints over time with \(name); the area is "
                + "between the least and the most loaded one.",
            across: .whole(to: seconds / divisor),
            acrossTitle: "time, \(unit)", up: .linear(upTo: most), upTitle: "requests at an endpoint",
            band: low.isEmpty
                ? nil : LinePlot.Band(name: "from the least to the most loaded", style: style, low: low, high: high),
            lines: drawn
        ).html
    }
}
