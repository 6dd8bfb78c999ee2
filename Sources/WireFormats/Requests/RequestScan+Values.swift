extension RequestScan {
    /// The decoded model name: not empty, not over the limit, UTF-8, no control characters (it goes into logs).
    static func modelName(
        _ bytes: UnsafeRawBufferPointer, _ value: Range<Int>, _ limits: ScanLimits
    ) throws(ScanFailure) -> String {
        guard let inside = JSONScalar.stringInside(bytes, value) else {
            throw ScanFailure(.invalidModel, at: value.lowerBound, "\"model\" must be a string")
        }
        if inside.isEmpty { throw ScanFailure(.invalidModel, at: value.lowerBound, "\"model\" must not be empty") }
        // An escape takes at most six bytes for one.
        let tooLong = inside.count > 6 * limits.maximumModelBytes
        let name = tooLong ? "" : try JSONString.string(bytes, inside)
        if tooLong || name.utf8.count > limits.maximumModelBytes {
            throw ScanFailure(
                .modelTooLong, at: value.lowerBound, "\"model\" is longer than \(limits.maximumModelBytes) bytes")
        }
        if name.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            throw ScanFailure(.invalidModel, at: value.lowerBound, "\"model\" holds a control character")
        }
        return name
    }

    static func streamFlag(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) throws(ScanFailure) -> Bool {
        if JSONScalar.isTrue(bytes, value) { return true }
        if ByteSearch.equal(bytes, value, "false") || JSONScalar.isNull(bytes, value) { return false }
        throw ScanFailure(.invalidStream, at: value.lowerBound, "\"stream\" must be true, false or null")
    }

    /// Whether `stream_options` asks for usage. What is odd in it is the engine's to report.
    static func includeUsage(_ bytes: UnsafeRawBufferPointer, _ value: Range<Int>) -> Bool {
        var includes = false
        try? JSONCursor.forEachMember(bytes, value) { cursor, member in
            if cursor.key(member, is: "include_usage") { includes = JSONScalar.isTrue(bytes, member.value) }
        }
        return includes
    }
}
