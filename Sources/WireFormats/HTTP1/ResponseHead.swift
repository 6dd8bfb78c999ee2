/// How the end of a response body is told (RFC 9112 §6.3).
package enum BodyFraming: Sendable, Equatable {
    case none
    case length(Int)
    case chunked
    /// Everything until the connection closes; a cut cannot be told from the end.
    case untilClose
}

/// A response head in place: offsets into the bytes it was parsed from.
package struct ResponseHead: Sendable, Equatable {
    package internal(set) var status = 0
    /// The reason phrase, perhaps empty.
    package internal(set) var reasonRange = 0..<0
    package internal(set) var isHTTP10 = false
    package internal(set) var fields = HeaderFields()

    /// 100–199: another head follows on the same exchange.
    package var isInformational: Bool { (100..<200).contains(status) }

    /// The framing of the body that follows a request which was not HEAD or CONNECT.
    package var framing: BodyFraming {
        if isInformational || status == 204 || status == 304 { return .none }
        if fields.isChunked { return .chunked }
        if let length = fields.contentLength { return length == 0 ? .none : .length(length) }
        return .untilClose
    }

    /// True when the connection may carry another exchange after this one.
    package var keepsAlive: Bool {
        if fields.saysClose || framing == .untilClose { return false }
        return isHTTP10 ? fields.saysKeepAlive : true
    }

    mutating func reset() {
        status = 0
        reasonRange = 0..<0
        isHTTP10 = false
        fields.reset()
    }
}
