/// Reads the errors that engines put into answers and streams.
enum AnswerError {
    /// Whether an `error` member's value tells of one: `null`, `false` and `{}` do not.
    static func isError(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) -> Bool {
        !JSONScalar.isNull(bytes, value) && !ByteSearch.equal(bytes, value, "false")
            && !ByteSearch.equal(bytes, value, "{}")
    }

    /// Bytes of an error that are searched for the words that mean overload.
    static let searchedBytes = 4_096

    /// Whether the error means that the engine is full, not that the request is bad.
    ///
    /// SGLang: code 503, "The request queue is full." or "aborted by a higher priority request". Anthropic:
    /// `overloaded_error`. `value` is the `error` member's value, or the whole event where it has none. A numeric code
    /// that says something else decides, whatever the message is: it may quote the request.
    static func isOverload(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) -> Bool {
        var (isFull, isOther) = (false, false)
        try? JSONCursor.forEachMember(bytes, value) { cursor, member in
            guard cursor.key(member, is: "code") || cursor.key(member, is: "status_code") else { return }
            let inside = JSONScalar.stringInside(bytes, member.value) ?? member.value
            guard let code = JSONScalar.integer(bytes, inside) else { return }
            isFull = isFull || code == 503 || code == 529
            isOther = isOther || code != 429
        }
        if isFull || isOther { return isFull }
        let searched = value.prefix(searchedBytes)
        return ByteSearch.containsIgnoringCase(bytes, searched, "queue is full")
            || ByteSearch.containsIgnoringCase(bytes, searched, "aborted by a higher priority")
            || ByteSearch.containsIgnoringCase(bytes, searched, "overloaded")
    }
}
