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
    case origin

    /// Meaningful for one connection only (RFC 9110 §7.6.1), or about the framing that each hop makes itself.
    package var isHopByHop: Bool {
        switch self {
        case .connection, .transferEncoding, .upgrade, .keepAlive, .proxyConnection, .proxyAuthorization,
            .proxyAuthenticate, .te, .trailer, .http2Settings:
            true
        default: false
        }
    }

    /// By length first, then by letters: one comparison for most names. Every byte must be a `tchar`.
    @inline(__always)
    static func recognise(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>) -> FieldName {
        switch range.count {
        case 2: return check(bytes, range, "te", .te) ?? .other
        case 4: return check(bytes, range, "host", .host) ?? check(bytes, range, "date", .date) ?? .other
        case 6: return check(bytes, range, "expect", .expect) ?? check(bytes, range, "origin", .origin) ?? .other
        case 7: return check(bytes, range, "upgrade", .upgrade) ?? check(bytes, range, "trailer", .trailer) ?? .other
        case 9: return check(bytes, range, "x-api-key", .apiKey) ?? .other
        case 10:
            return check(bytes, range, "connection", .connection) ?? check(bytes, range, "keep-alive", .keepAlive)
                ?? .other
        case 11:
            return check(bytes, range, "retry-after", .retryAfter) ?? check(bytes, range, "traceparent", .traceParent)
                ?? .other
        case 12:
            return check(bytes, range, "content-type", .contentType) ?? check(bytes, range, "x-request-id", .requestID)
                ?? .other
        case 13: return check(bytes, range, "authorization", .authorization) ?? .other
        case 14:
            return check(bytes, range, "content-length", .contentLength) ?? check(
                bytes, range, "http2-settings", .http2Settings) ?? .other
        case 15: return check(bytes, range, "x-forwarded-for", .forwardedFor) ?? .other
        case 16:
            return check(bytes, range, "content-encoding", .contentEncoding) ?? check(
                bytes, range, "proxy-connection", .proxyConnection) ?? .other
        case 17: return check(bytes, range, "transfer-encoding", .transferEncoding) ?? .other
        case 18: return check(bytes, range, "proxy-authenticate", .proxyAuthenticate) ?? .other
        case 19: return check(bytes, range, "proxy-authorization", .proxyAuthorization) ?? .other
        default: return .other
        }
    }

    @inline(__always)
    private static func check(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ literal: StaticString, _ name: FieldName
    ) -> FieldName? {
        ByteScan.isName(bytes, range, literal) ? name : nil
    }
}
