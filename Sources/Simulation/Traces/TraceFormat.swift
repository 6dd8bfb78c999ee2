/// How a trace is written.
package enum TraceFormat: String, CaseIterable, Sendable {
    case azure
    case mooncake

    /// What the first byte tells: JSON lines or a header.
    package init(of bytes: [UInt8]) { self = bytes.first == UInt8(ascii: "{") ? .mooncake : .azure }

    /// `file` is named in what is wrong.
    package func parse(_ bytes: [UInt8], file: String) throws(TraceFault) -> Trace {
        switch self {
        case .azure: try AzureTrace.parse(bytes, file: file)
        case .mooncake: try MooncakeTrace.parse(bytes, file: file)
        }
    }
}
