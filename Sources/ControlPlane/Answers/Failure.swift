import HTTPTypes
import Hummingbird
import JobStores
import WireFormats

/// A refusal or failure of a control route, in the words of OpenAI's error body.
struct Failure: Error, Sendable {
    var status: HTTPResponse.Status
    /// OpenAI's `type`, such as `invalid_request_error`.
    var kind: String
    /// What, where, and how to mend it.
    var message: String
    /// The field or query parameter at fault.
    var parameter: String?
    /// A stable word for programs.
    var code: String?
    var headers: HTTPFields = [:]

    static func badRequest(_ message: String, parameter: String? = nil, code: String? = nil) -> Failure {
        Failure(
            status: .badRequest, kind: "invalid_request_error", message: message, parameter: parameter, code: code)
    }

    static func notFound(_ message: String, code: String? = "not_found") -> Failure {
        Failure(status: .notFound, kind: "invalid_request_error", message: message, code: code)
    }

    static func forbidden(_ message: String) -> Failure {
        Failure(status: .forbidden, kind: "permission_error", message: message, code: "admin_key_required")
    }

    static func tooLarge(_ message: String) -> Failure {
        Failure(status: .contentTooLarge, kind: "invalid_request_error", message: message, code: "too_large")
    }

    static func methodNotAllowed(_ method: String, allowed: [HTTPRequest.Method]) -> Failure {
        var failure = Failure(
            status: .methodNotAllowed, kind: "invalid_request_error",
            message: "\(method) is not allowed here. Allowed: \(allowed.map(\.rawValue).joined(separator: ", ")).",
            code: "method_not_allowed")
        failure.headers[.allow] = allowed.map(\.rawValue).joined(separator: ", ")
        return failure
    }

    static func unsupportedMediaType(_ expected: String) -> Failure {
        Failure(
            status: .unsupportedMediaType, kind: "invalid_request_error",
            message: "This path takes a body of `Content-Type: \(expected)`.", code: "unsupported_media_type")
    }

    static func unavailable(_ message: String, retryAfter: Duration) -> Failure {
        var failure = Failure(
            status: .serviceUnavailable, kind: "server_error", message: message, code: "store_unavailable")
        failure.headers[.retryAfter] = String(max(1, retryAfter.components.seconds))
        return failure
    }

    static let internalError = Failure(
        status: .internalServerError, kind: "server_error",
        message: "The gateway failed to answer. The log has the reason under this request's id.", code: "internal_error"
    )

    /// The one table from what a store says to what a client sees.
    init(_ failure: StoreFailure) {
        switch failure.code {
        case .notFound: self = .notFound(failure.message)
        case .conflict:
            self.init(
                status: .conflict, kind: "invalid_request_error", message: failure.message, code: "conflict")
            headers[Failure.shouldRetry] = "false"
        case .invalid: self = .badRequest(failure.message, code: "invalid")
        case .tooLarge: self = .tooLarge(failure.message)
        case .limitReached:
            self.init(
                status: .tooManyRequests, kind: "rate_limit_error", message: failure.message, code: "limit_reached")
            headers[.retryAfter] = String(Failure.seconds(failure.retry))
        case .unavailable, .locked, .closed:
            self = .unavailable(failure.message, retryAfter: .seconds(Failure.seconds(failure.retry)))
        }
    }

    init(
        status: HTTPResponse.Status, kind: String, message: String, parameter: String? = nil, code: String? = nil
    ) {
        self.status = status
        self.kind = kind
        self.message = message
        self.parameter = parameter
        self.code = code
    }

    /// OpenAI's clients repeat a 409 unless this says no; repeating does not change what a batch's state allows.
    private static let shouldRetry = HTTPField.Name.known("x-should-retry")

    private static func seconds(_ retry: StoreFailure.Retry) -> Int64 {
        switch retry {
        case .never: 5
        case .after(let delay): max(1, delay.components.seconds + (delay.components.attoseconds > 0 ? 1 : 0))
        }
    }

    var response: Response {
        let body = ErrorBody(message: message, type: kind, param: parameter, code: code)
        var response = Response(bytes: body.openAI(), type: "application/json", status: status)
        response.headers.append(contentsOf: headers)
        return response
    }
}
