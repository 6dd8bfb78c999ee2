/// One request of a batch's input file: `{"custom_id","method","url","body"}`.
///
/// The whole line must be strict JSON. The body is sent byte for byte, so its range of the line is what is kept.
package struct BatchLine: Sendable, Equatable {
    package private(set) var customID = ""
    /// Bytes of the body's object within the line.
    package private(set) var body = 0..<0
    /// What the body asks for; ranges are of the body.
    package private(set) var request = RequestScan()

    package struct Limits: Sendable, Equatable {
        /// UTF-8 bytes of a decoded `custom_id`.
        package var maximumCustomIDBytes: Int
        package var scan: ScanLimits

        package init(maximumCustomIDBytes: Int = 512, scan: ScanLimits = ScanLimits()) {
            self.maximumCustomIDBytes = maximumCustomIDBytes
            self.scan = scan
        }
    }

    /// Reads one line (without its end). `endpoint` is the batch's; `url` must be equal to it. Whether the
    /// `custom_id` was seen before is the caller's to know.
    package static func parse(
        _ line: UnsafeRawBufferPointer, endpoint: String, limits: Limits = Limits()
    ) throws(BatchLineFailure) -> BatchLine {
        let members = try Members(line)
        var result = BatchLine()
        result.customID = try members.customID(line, limits)
        try members.checkMethod(line)
        try members.checkURL(line, endpoint)
        result.body = try members.bodyRange(line)
        result.request = try scanBody(line, result.body, RequestKind(path: endpoint), limits)
        return result
    }

    private static func scanBody(
        _ line: UnsafeRawBufferPointer, _ body: Range<Int>, _ kind: RequestKind, _ limits: Limits
    ) throws(BatchLineFailure) -> RequestScan {
        let bytes = UnsafeRawBufferPointer(rebasing: line[body])
        let scan: RequestScan
        do {
            scan = try RequestScan.scan(bytes, kind: kind, limits: limits.scan)
        } catch {
            switch error.code {
            case .missingModel:
                throw BatchLineFailure(
                    .missingParameter, "Missing required parameter: 'body.model'.", param: "body.model")
            case .invalidModel, .modelTooLong:
                throw BatchLineFailure(.invalidParameter, error.message, param: "body.model")
            case .invalidStream:
                throw BatchLineFailure(.invalidParameter, error.message, param: "body.stream")
            default: throw BatchLineFailure(.invalidBody, error.message, param: "body")
            }
        }
        if scan.stream {
            throw BatchLineFailure(
                .streamNotSupported, "Streaming is not supported in a batch; leave 'stream' out or set it to false.",
                param: "body.stream")
        }
        if scan.background {
            throw BatchLineFailure(
                .backgroundNotSupported,
                "A batch waits for its answers, so none can be made in the background; leave 'background' out or set it "
                    + "to false.", param: "body.background")
        }
        return scan
    }

    /// Ranges of the line's four members.
    private struct Members {
        var customID: Range<Int>?
        var method: Range<Int>?
        var url: Range<Int>?
        var body: Range<Int>?

        init(_ line: UnsafeRawBufferPointer) throws(BatchLineFailure) {
            do {
                try JSONSyntax.check(line)
                var cursor = JSONCursor(line)
                try cursor.enterObject()
                while let member = try cursor.nextMember() { try take(member, cursor) }
            } catch {
                throw BatchLineFailure(.invalidJSON, "This line is not parseable as valid JSON: \(error.message).")
            }
        }

        /// A name that appears twice would let two readers see two requests.
        private mutating func take(_ member: JSONMember, _ cursor: JSONCursor) throws(ScanFailure) {
            let isNew: Bool
            if cursor.key(member, is: "custom_id") {
                (isNew, customID) = (customID == nil, member.value)
            } else if cursor.key(member, is: "method") {
                (isNew, method) = (method == nil, member.value)
            } else if cursor.key(member, is: "url") {
                (isNew, url) = (url == nil, member.value)
            } else if cursor.key(member, is: "body") {
                (isNew, body) = (body == nil, member.value)
            } else {
                isNew = true
            }
            if !isNew {
                throw ScanFailure(.duplicateMember, at: member.key.lowerBound - 1, "a member appears twice")
            }
        }

        func customID(_ line: UnsafeRawBufferPointer, _ limits: Limits) throws(BatchLineFailure) -> String {
            let text = try string(line, customID, "custom_id", limit: limits.maximumCustomIDBytes)
            if text.isEmpty {
                throw BatchLineFailure(.invalidParameter, "'custom_id' must not be empty.", param: "custom_id")
            }
            // A store that keeps texts with an end mark would cut it, and two ids would become one.
            if text.utf8.contains(0) {
                throw BatchLineFailure(
                    .invalidParameter, "'custom_id' must not hold the character U+0000.", param: "custom_id")
            }
            return text
        }

        func checkMethod(_ line: UnsafeRawBufferPointer) throws(BatchLineFailure) {
            let text = try string(line, method, "method", limit: 32)
            guard text == "POST" else {
                throw BatchLineFailure(.invalidMethod, "'method' must be \"POST\".", param: "method")
            }
        }

        func checkURL(_ line: UnsafeRawBufferPointer, _ endpoint: String) throws(BatchLineFailure) {
            let text = try string(line, url, "url", limit: 1_024)
            guard text == endpoint else {
                throw BatchLineFailure(
                    .mismatchedEndpoint, "'url' must be the batch's endpoint, \"\(endpoint)\".", param: "url")
            }
        }

        func bodyRange(_ line: UnsafeRawBufferPointer) throws(BatchLineFailure) -> Range<Int> {
            guard let body else {
                throw BatchLineFailure(.missingParameter, "Missing required parameter: 'body'.", param: "body")
            }
            guard line[body.lowerBound] == UInt8(ascii: "{") else {
                throw BatchLineFailure(.invalidParameter, "'body' must be an object.", param: "body")
            }
            return body
        }

        private func string(
            _ line: UnsafeRawBufferPointer, _ range: Range<Int>?, _ name: String, limit: Int
        ) throws(BatchLineFailure) -> String {
            guard let range else {
                throw BatchLineFailure(.missingParameter, "Missing required parameter: '\(name)'.", param: name)
            }
            guard let inside = JSONScalar.stringInside(line, range) else {
                throw BatchLineFailure(.invalidParameter, "'\(name)' must be a string.", param: name)
            }
            // An escape takes at most six bytes for one.
            guard inside.count <= 6 * limit, let text = try? JSONString.string(line, inside) else {
                throw BatchLineFailure(
                    .invalidParameter, "'\(name)' is longer than \(limit) bytes or not valid text.", param: name)
            }
            guard text.utf8.count <= limit else {
                throw BatchLineFailure(.invalidParameter, "'\(name)' is longer than \(limit) bytes.", param: name)
            }
            return text
        }
    }
}
