/// Why bytes are not an HTTP/1.1 message we take. After one the framing is unknown: the connection is closed.
///
/// The status that a client sees is chosen in the status table of `DataPlane`. The raw value is the metric label.
package enum HTTPRefusal: String, Error, Sendable, CaseIterable {
    case badRequestLine = "bad_request_line"
    case badMethod = "bad_method"
    case badTarget = "bad_target"
    case targetTooLong = "target_too_long"
    /// HTTP/1.0, HTTP/2 prefaces and everything else that is not HTTP/1.1.
    case badVersion = "bad_version"
    case badStatusLine = "bad_status_line"
    case badFieldName = "bad_field_name"
    /// A control character, or a CR that no LF follows.
    case badFieldValue = "bad_field_value"
    /// A line that ends in a LF without a CR.
    case bareLineFeed = "bare_line_feed"
    /// A line that starts with a space or tab (RFC 9112 §5.2).
    case obsoleteFolding = "obsolete_folding"
    case fieldLineTooLong = "field_line_too_long"
    case tooManyFields = "too_many_fields"
    case headTooLarge = "head_too_large"
    case tooManyConnectionOptions = "too_many_connection_options"
    case missingHost = "missing_host"
    case duplicateHost = "duplicate_host"
    case badHost = "bad_host"
    case badContentLength = "bad_content_length"
    case duplicateContentLength = "duplicate_content_length"
    /// Content-Length and Transfer-Encoding in one head: the classic smuggling shape.
    case conflictingLengths = "conflicting_lengths"
    /// A transfer coding other than `chunked`, or `chunked` more than once.
    case badTransferCoding = "bad_transfer_coding"
    case badExpectation = "bad_expectation"
    case connectMethod = "connect_method"
    case badChunk = "bad_chunk"
    case trailersTooLarge = "trailers_too_large"

    /// One sentence for the error body.
    package var reason: String {
        switch self {
        case .badRequestLine: "The request line is not METHOD SP TARGET SP HTTP/1.1."
        case .badMethod: "The method holds characters that are not allowed."
        case .badTarget: "The request target is not a path, or its authority differs from Host."
        case .targetTooLong: "The request target is too long."
        case .badVersion: "Only HTTP/1.1 is spoken here (a proxy in front: set its upstream HTTP version to 1.1)."
        case .badStatusLine: "The status line is not HTTP/1.x SP CODE SP TEXT."
        case .badFieldName: "A header name is empty, holds characters that are not allowed, or ends in a space."
        case .badFieldValue: "A header value holds a control character."
        case .bareLineFeed: "A line ends in LF without CR."
        case .obsoleteFolding: "A header line starts with a space or tab (obsolete line folding)."
        case .fieldLineTooLong: "A header line is too long."
        case .tooManyFields: "There are too many header lines."
        case .headTooLarge: "The headers together are too large."
        case .tooManyConnectionOptions: "The Connection header names too many other headers."
        case .missingHost: "The Host header is missing."
        case .duplicateHost: "There is more than one Host header."
        case .badHost: "The Host header is not a host with an optional port."
        case .badContentLength: "Content-Length is not a decimal number."
        case .duplicateContentLength: "There is more than one Content-Length."
        case .conflictingLengths: "Content-Length and Transfer-Encoding exclude each other."
        case .badTransferCoding: "The only transfer coding taken is one chunked."
        case .badExpectation: "The only expectation met is 100-continue."
        case .connectMethod: "CONNECT is not served."
        case .badChunk: "The chunked body is not framed correctly."
        case .trailersTooLarge: "The trailers after the body are too large."
        }
    }
}
