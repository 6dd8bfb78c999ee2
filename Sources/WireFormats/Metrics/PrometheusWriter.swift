/// Writes a page of Prometheus text exposition (format 0.0.4).
///
/// Declare a family, then write its samples; families must not interleave. Names and help are the program's own and
/// must fit the format; label values may hold anything.
package struct PrometheusWriter: Sendable {
    package enum Kind: String, Sendable {
        /// The family's name must end in `_total`.
        case counter
        case gauge
        case histogram
    }

    package typealias Label = (name: String, value: String)

    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package private(set) var bytes: [UInt8] = []
    private var family = ""

    package init(capacity: Int = 16_384) { bytes.reserveCapacity(capacity) }

    /// Starts a family: its `HELP` and `TYPE` lines.
    package mutating func family(_ name: String, _ kind: Kind, help: String) {
        precondition(kind != .counter || name.hasSuffix("_total"), "counter \(name) must end in _total")
        precondition(!help.isEmpty, "metric \(name) needs a help text")
        family = name
        append("# HELP ")
        append(name)
        append(" ")
        appendEscaped(help, quotes: false)
        append("\n# TYPE ")
        append(name)
        append(" ")
        append(kind.rawValue)
        append("\n")
    }

    /// One sample of the present family.
    package mutating func sample(_ value: Double, _ labels: [Label] = []) {
        line(suffix: "", labels, extra: nil, PrometheusWriter.text(value))
    }

    package mutating func sample(_ value: Int, _ labels: [Label] = []) {
        line(suffix: "", labels, extra: nil, String(value))
    }

    /// One histogram of the present family.
    package mutating func histogram(_ snapshot: HistogramSnapshot, _ labels: [Label] = []) {
        var total: UInt64 = 0
        for (index, bound) in snapshot.bounds.enumerated() {
            total &+= index < snapshot.counts.count ? snapshot.counts[index] : 0
            line(suffix: "_bucket", labels, extra: ("le", PrometheusWriter.text(bound)), String(total))
        }
        if let last = snapshot.counts.dropFirst(snapshot.bounds.count).first { total &+= last }
        line(suffix: "_bucket", labels, extra: ("le", "+Inf"), String(total))
        line(suffix: "_sum", labels, extra: nil, PrometheusWriter.text(snapshot.sum))
        line(suffix: "_count", labels, extra: nil, String(total))
    }

    private mutating func line(suffix: String, _ labels: [Label], extra: Label?, _ value: String) {
        append(family)
        append(suffix)
        if !labels.isEmpty || extra != nil {
            append("{")
            for (index, label) in labels.enumerated() {
                if index > 0 { append(",") }
                appendLabel(label)
            }
            if let extra {
                if !labels.isEmpty { append(",") }
                appendLabel(extra)
            }
            append("}")
        }
        append(" ")
        append(value)
        append("\n")
    }

    private mutating func appendLabel(_ label: Label) {
        append(label.name)
        append("=\"")
        appendEscaped(label.value, quotes: true)
        append("\"")
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func appendEscaped(_ text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): append("\\\\")
            case 0x0A: append("\\n")
            case UInt8(ascii: "\"") where quotes: append("\\\"")
            default: bytes.append(byte)
            }
        }
    }

    /// Shortest form that reads back the same; whole numbers without a fraction.
    private static func text(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-Inf" : "+Inf" }
        let text = value.description
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
