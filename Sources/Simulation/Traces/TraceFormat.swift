import WireFormats

/// How a trace is written.
package enum TraceFormat: String, CaseIterable, Sendable {
    case azure
    case mooncake
    case neap

    /// What the first line tells: a header, or JSON with the one's or the other's fields.
    package init(of bytes: [UInt8]) {
        guard bytes.first == UInt8(ascii: "{") else {
            self = .azure
            return
        }
        let row = try? JSONValue.parse(Array(bytes.prefix { $0 != UInt8(ascii: "\n") }))
        self = row?["arrival_ms"] != nil || row?["band"] != nil ? .neap : .mooncake
    }

    /// `file` is named in what is wrong. `model`: only its rows, where the format tells models apart.
    package func parse(_ bytes: [UInt8], file: String, model: String? = nil) throws(TraceFault) -> Trace {
        if model != nil, self != .neap {
            throw TraceFault(file: file, line: 0, message: "is of format \(rawValue), which names no models")
        }
        return switch self {
        case .azure: try AzureTrace.parse(bytes, file: file)
        case .mooncake: try MooncakeTrace.parse(bytes, file: file)
        case .neap: try NeapTrace.parse(bytes, file: file, model: model)
        }
    }
}
