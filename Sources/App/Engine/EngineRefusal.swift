import NIOCore

/// An answer that is an error, in the shape of the API that was asked.
struct EngineRefusal: Error, Equatable {
    var status: Int
    /// vLLM's error type, such as `BadRequestError`.
    var type: String
    var message: String
    /// The field that is wrong, where one is.
    var parameter: String?

    static func badRequest(_ message: String, parameter: String? = nil) -> EngineRefusal {
        EngineRefusal(status: 400, type: "BadRequestError", message: message, parameter: parameter)
    }

    static func modelNotFound(_ model: String) -> EngineRefusal {
        EngineRefusal(
            status: 404, type: "NotFoundError", message: "The model `\(model)` does not exist.", parameter: "model")
    }

    static let notFound = EngineRefusal(status: 404, type: "NotFoundError", message: "Not Found")
    static let methodNotAllowed = EngineRefusal(
        status: 405, type: "MethodNotAllowedError", message: "Method Not Allowed")
    static let loading = EngineRefusal(
        status: 503, type: "ServiceUnavailableError", message: "The engine is still starting.")

    static func overloaded(_ message: String) -> EngineRefusal {
        EngineRefusal(status: 503, type: "ServiceUnavailableError", message: message)
    }

    static func tooLarge(limit: Int) -> EngineRefusal {
        EngineRefusal(
            status: 413, type: "RequestEntityTooLargeError",
            message: "The request body is over the limit of \(limit) bytes.")
    }

    /// The error object alone, as streams carry it.
    func write(to buffer: inout ByteBuffer) {
        buffer.writeString("{\"error\":{\"message\":")
        buffer.writeJSON(message)
        buffer.writeString(",\"type\":")
        buffer.writeJSON(type)
        buffer.writeString(",\"param\":")
        buffer.writeJSON(parameter)
        buffer.writeString(",\"code\":\(status)}}")
    }

    /// The body of the answer; `/v1/messages` has Anthropic's shape.
    func body(isAnthropic: Bool) -> ByteBuffer {
        var buffer = ByteBuffer()
        guard isAnthropic else {
            write(to: &buffer)
            return buffer
        }
        let kind =
            switch status {
            case 404: "not_found_error"
            case 413: "request_too_large"
            case 503: "overloaded_error"
            case 500...: "api_error"
            default: "invalid_request_error"
            }
        buffer.writeString("{\"type\":\"error\",\"error\":{\"type\":\"\(kind)\",\"message\":")
        buffer.writeJSON(message)
        buffer.writeString("}}")
        return buffer
    }
}
