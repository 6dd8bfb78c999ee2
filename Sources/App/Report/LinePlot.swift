/// Lines over two axes, as HTML with an SVG inside.
///
/// The SVG is stretched to whatever room there is, strokes keep their width, and all text is HTML beside it: so it is
/// read on a phone as on a wide screen, and needs no script.
struct LinePlot {
    struct Line {
        var name: String
        /// Class of the style sheet: its colour.
        var style: String
        var points: [(x: Double, y: Double)]
    }

    /// Of the area between two lines, for instance the least and the most.
    struct Band {
        var name: String
        var style: String
        var low: [(x: Double, y: Double)]
        var high: [(x: Double, y: Double)]
    }

    /// What it shows, for those who do not see it.
    var summary: String
    var across: PlotScale
    var acrossTitle: String
    var up: PlotScale
    var upTitle: String
    var band: Band?
    var lines: [Line]

    private static let (width, height) = (2000.0, 1000.0)

    var html: String {
        let summary = HTMLText.escaped(summary)
        var paths = "<path class=\"grid\" d=\"\(gridPath)\"/>"
        if let band {
            let outline = path(band.high + band.low.reversed())
            paths += "<path class=\"band \(band.style)\" d=\"\(outline)Z\">\(title(band.name))</path>"
        }
        for line in lines where !line.points.isEmpty {
            paths += "\n<path class=\"line \(line.style)\" d=\"\(path(line.points))\">\(title(line.name))</path>"
        }
        let upTicks = up.ticks.map {
            "<span class=\"up-tick\" style=\"bottom:\(percent($0.place))\">\($0.label)</span>"
        }
        let acrossTicks = across.ticks.map {
            "<span class=\"across-tick\" style=\"left:\(percent($0.place))\">\($0.label)</span>"
        }
        return """
            <div class="plot"><p class="up-title" aria-hidden="true">\(HTMLText.escaped(upTitle))</p>
            <div class="frame"><svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" preserveAspectRatio="none" role="img" aria-label="\(summary)">
            <title>\(summary)</title>\(paths)</svg>
            <div class="ticks" aria-hidden="true">\((upTicks + acrossTicks).joined())</div></div>
            <p class="across-title" aria-hidden="true">\(HTMLText.escaped(acrossTitle))</p></div>
            """
    }

    private func title(_ text: String) -> String { "<title>\(HTMLText.escaped(text))</title>" }

    private func percent(_ share: Double) -> String { (share * 100).fixed(2) + "%" }

    private func path(_ points: [(x: Double, y: Double)]) -> String {
        let corners = points.map { "\(column(across.place($0.x))) \(row(up.place($0.y)))" }
        return "M" + corners.joined(separator: "L")
    }

    private var gridPath: String {
        up.ticks.map { "M0 \(row($0.place))H\(Int(Self.width))" }.joined()
            + across.ticks.map { "M\(column($0.place)) 0V\(Int(Self.height))" }.joined()
    }

    private func column(_ share: Double) -> Int { Int((share * Self.width).rounded()) }
    private func row(_ share: Double) -> Int { Int(((1 - share) * Self.height).rounded()) }
}
