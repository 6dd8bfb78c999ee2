/// The API a request speaks, which decides where its prompt is and how its answer tells usage.
package enum RequestKind: String, Sendable, CaseIterable {
    case chat
    case completions
    case embeddings
    case responses
    /// Anthropic's Messages.
    case messages
    case other

    /// From a request path. A prefix before the API's path and a query after it do not matter.
    package init(path: String) {
        var path = path
        self = path.withUTF8 { RequestKind(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Compares bytes: this runs for every request.
    private init(bytes: UnsafeRawBufferPointer) {
        let end = bytes.firstIndex { $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") } ?? bytes.count
        if ByteSearch.hasSuffix(bytes, 0..<end, "/chat/completions") {
            self = .chat
        } else if ByteSearch.hasSuffix(bytes, 0..<end, "/completions") {
            self = .completions
        } else if ByteSearch.hasSuffix(bytes, 0..<end, "/embeddings") {
            self = .embeddings
        } else if ByteSearch.hasSuffix(bytes, 0..<end, "/responses") {
            self = .responses
        } else if ByteSearch.hasSuffix(bytes, 0..<end, "/messages") {
            self = .messages
        } else {
            self = .other
        }
    }
}
