/// Writes lines of a batch's output and error files, each with its line feed.
package enum BatchOutputLine {
    /// An answer an engine gave to one line.
    package struct Answer: Sendable, Equatable {
        package var statusCode: Int
        /// The engine's request id or ours.
        package var requestID: String
        /// The engine's body, byte for byte.
        package var body: [UInt8]

        package init(statusCode: Int, requestID: String, body: [UInt8]) {
            self.statusCode = statusCode
            self.requestID = requestID
            self.body = body
        }
    }

    /// `{"id","custom_id","response":{"status_code","request_id","body"},"error":null}`.
    ///
    /// A body that is JSON is embedded as it is, but for line ends between its values, which become spaces. One that
    /// is not becomes `{"text":"…"}`, with U+FFFD for what is not UTF-8; an empty one `null`.
    package static func answered(id: String, customID: String, _ answer: Answer) -> [UInt8] {
        var json = JSONText(capacity: answer.body.count + customID.utf8.count + 160)
        json.object {
            $0.member("id", id)
            $0.member("custom_id", customID)
            $0.object("response") {
                $0.member("status_code", answer.statusCode)
                $0.member("request_id", answer.requestID)
                $0.key("body")
                writeBody(answer.body, to: &$0)
            }
            $0.nullMember("error")
        }
        json.endLine()
        return json.bytes
    }

    /// `{"id","custom_id","response":null,"error":{"code","message"}}`: the line brought no answer.
    package static func failed(id: String, customID: String, code: String, message: String) -> [UInt8] {
        var json = JSONText(capacity: 160 + message.utf8.count)
        json.object {
            $0.member("id", id)
            $0.member("custom_id", customID)
            $0.nullMember("response")
            $0.object("error") {
                $0.member("code", code)
                $0.member("message", message)
            }
        }
        json.endLine()
        return json.bytes
    }

    private static func writeBody(_ body: [UInt8], to json: inout JSONText) {
        if body.isEmpty { return json.null() }
        guard body.withUnsafeBytes({ JSONSyntax.isValid($0) }) else {
            return json.object { $0.member("text", String(decoding: body, as: UTF8.self)) }
        }
        if body.contains(0x0A) || body.contains(0x0D) {
            // Within strings JSON has no raw line ends, so these stand between values.
            json.raw(body.lazy.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 })
        } else {
            json.raw(body)
        }
    }
}
