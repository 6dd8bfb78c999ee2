/// The header names this gateway acts on. Everything else is `other` and passed on untouched.
package enum FieldName: UInt8, Sendable {
    case other
    case host
    case contentLength
    case transferEncoding
    case connection
    case expect
    case authorization
    case apiKey
    case contentType
    case contentEncoding
    case requestID
    case upgrade
    case keepAlive
    case proxyConnection
    case proxyAuthorization
    case proxyAuthenticate
    case te
    case trailer
    case forwardedFor
    case retryAfter
    case http2Settings
    case date
    case traceParent

    /// Meaningful for one connection only (RFC 9110 §7.6.1), or about the framing that each hop makes itself.
    package var isHopByHop: Bool {
        switch self {
        case .connection, .transferEncoding, .upgrade, .keepAlive, .proxyConnection, .proxyAuthorization,
            .proxyAuthenticate, .te, .trailer, .http2Settings:
            true
        default: false
        }
    }

    /// By length first, then by letters: one comparison for most names.
    @inline(__always)
    static func recognise(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> FieldName {
        func check(_ literal: StaticString, _ name: FieldName) -> FieldName? {
            ByteScan.equals(bytes, range, lowercased: literal) ? name : nil
        }
        switch range.count {
        case 2: return check("te", .te) ?? .other
        case 4: return check("host", .host) ?? check("date", .date) ?? .other
        case 6: return check("expect", .expect) ?? .other
        case 7: return check("upgrade", .upgrade) ?? check("trailer", .trailer) ?? .other
        case 9: return check("x-api-key", .apiKey) ?? .other
        case 10: return check("connection", .connection) ?? check("keep-alive", .keepAlive) ?? .other
        case 11: return check("retry-after", .retryAfter) ?? check("traceparent", .traceParent) ?? .other
        case 12: return check("content-type", .contentType) ?? check("x-request-id", .requestID) ?? .other
        case 13: return check("authorization", .authorization) ?? .other
        case 14: return check("content-length", .contentLength) ?? check("http2-settings", .http2Settings) ?? .other
        case 15: return check("x-forwarded-for", .forwardedFor) ?? .other
        case 16:
            return check("content-encoding", .contentEncoding) ?? check("proxy-connection", .proxyConnection) ?? .other
        case 17: return check("transfer-encoding", .transferEncoding) ?? .other
        case 18: return check("proxy-authenticate", .proxyAuthenticate) ?? .other
        case 19: return check("proxy-authorization", .proxyAuthorization) ?? .other
        default: return .other
        }
    }
}
