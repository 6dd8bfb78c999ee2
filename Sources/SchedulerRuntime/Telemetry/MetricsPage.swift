import WireFormats

/// The page at `/metrics`: every family of a telemetry as Prometheus text.
package enum MetricsPage {
    package static let contentType = PrometheusWriter.contentType

    package static func render(_ families: [MetricFamily]) -> [UInt8] {
        var writer = PrometheusWriter()
        for family in families { append(family, to: &writer) }
        return writer.bytes
    }

    private static func append(_ family: MetricFamily, to writer: inout PrometheusWriter) {
        let definition = family.definition
        var bounds: [Double] = []
        switch definition.kind {
        case .counter: writer.family(definition.name, .counter, help: definition.help)
        case .gauge: writer.family(definition.name, .gauge, help: definition.help)
        case .histogram(let upperBounds):
            bounds = upperBounds
            writer.family(definition.name, .histogram, help: definition.help)
        }
        for series in family.series {
            let labels = zip(definition.labels, series.labels).map { (name: $0, value: $1) }
            switch series.value {
            case .number(let number): writer.sample(number, labels)
            case .histogram(let counts, let sum):
                writer.histogram(HistogramSnapshot(bounds: bounds, counts: counts, sum: sum), labels)
            }
        }
    }
}
