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
        let bare = path.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        let text = Substring(bare)
        if text.hasSuffix("/chat/completions") {
            self = .chat
        } else if text.hasSuffix("/completions") {
            self = .completions
        } else if text.hasSuffix("/embeddings") {
            self = .embeddings
        } else if text.hasSuffix("/responses") {
            self = .responses
        } else if text.hasSuffix("/messages") {
            self = .messages
        } else {
            self = .other
        }
    }
}
