/// A request head in place: offsets into the bytes it was parsed from.
package struct RequestHead: Sendable, Equatable {
    package enum Method: Sendable, Equatable {
        case get
        case head
        case post
        case put
        case delete
        case options
        case patch
        case other
    }

    package internal(set) var method = Method.other
    package internal(set) var methodRange = 0..<0
    /// Path and query in origin form; for an absolute-form target the part after the authority ("" means "/").
    package internal(set) var targetRange = 0..<0
    /// The part of the target before `?`.
    package internal(set) var pathRange = 0..<0
    package internal(set) var fields = HeaderFields()
    package internal(set) var expectsContinue = false

    /// A body follows (of `contentLength` bytes, or chunked).
    package var hasBody: Bool { fields.isChunked || (fields.contentLength ?? 0) > 0 }

    mutating func reset() {
        method = .other
        methodRange = 0..<0
        targetRange = 0..<0
        pathRange = 0..<0
        fields.reset()
        expectsContinue = false
    }
}
