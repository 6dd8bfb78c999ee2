/// An error as API clients expect it in a body.
package struct ErrorBody: Sendable, Equatable {
    package var message: String
    /// OpenAI's `type`, such as `invalid_request_error`.
    package var type: String
    /// The parameter that is at fault, if one is.
    package var param: String?
    /// A stable word for programs.
    package var code: String?

    package init(message: String, type: String, param: String? = nil, code: String? = nil) {
        self.message = message
        self.type = type
        self.param = param
        self.code = code
    }

    /// For a request body that the scan refused: always a 400.
    package init(_ failure: ScanFailure) {
        let param: String?
        switch failure.code {
        case .missingModel, .invalidModel, .modelTooLong: param = "model"
        case .invalidStream: param = "stream"
        default: param = nil
        }
        self.init(
            message: failure.message, type: "invalid_request_error", param: param, code: failure.code.rawValue)
    }

    /// `{"error":{"message","type","param","code"}}`.
    package func openAI() -> [UInt8] {
        var json = JSONText(capacity: 128 + message.utf8.count)
        json.object {
            $0.object("error") {
                $0.member("message", message)
                $0.member("type", type)
                $0.member("param", param)
                $0.member("code", code)
            }
        }
        return json.bytes
    }

    /// `{"type":"error","error":{"type","message"},"request_id"}`; the inner type follows from the status.
    package func anthropic(status: Int, requestID: String?) -> [UInt8] {
        var json = JSONText(capacity: 128 + message.utf8.count)
        json.object {
            $0.member("type", "error")
            $0.object("error") {
                $0.member("type", ErrorBody.anthropicType(status: status))
                $0.member("message", message)
            }
            $0.member("request_id", requestID)
        }
        return json.bytes
    }

    /// Anthropic on `/v1/messages`, OpenAI everywhere else.
    package func bytes(for kind: RequestKind, status: Int, requestID: String?) -> [UInt8] {
        kind == .messages ? anthropic(status: status, requestID: requestID) : openAI()
    }

    /// Anthropic's error types, by status (docs: API errors).
    package static func anthropicType(status: Int) -> String {
        switch status {
        case 401: return "authentication_error"
        case 403: return "permission_error"
        case 404: return "not_found_error"
        case 413: return "request_too_large"
        case 429: return "rate_limit_error"
        case 503, 529: return "overloaded_error"
        case 504: return "timeout_error"
        case 400..<500: return "invalid_request_error"
        default: return "api_error"
        }
    }
}
