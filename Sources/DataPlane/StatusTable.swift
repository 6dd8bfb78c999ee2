import FleetTracking
package import FlowControl
package import WireFormats

/// An answer that the gateway gives itself: status, error body and what becomes of the connection.
package struct Refusal: Sendable, Equatable {
    package var status: Int
    /// OpenAI's `type`.
    package var type: String
    package var code: String
    package var message: String
    package var parameter: String?
    /// Whole seconds; on 429 and 503.
    package var retryAfter: Int?
    /// Methods for the `Allow` header of a 405.
    package var allow: String?
    /// The connection cannot carry another request.
    package var closes: Bool
    package var outcome: Outcome

    package init(
        status: Int, code: String, message: String, type: String = "invalid_request_error", parameter: String? = nil,
        retryAfter: Int? = nil, allow: String? = nil, closes: Bool = false, outcome: Outcome = .requestRefused
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.type = type
        self.parameter = parameter
        self.retryAfter = retryAfter
        self.allow = allow
        self.closes = closes
        self.outcome = outcome
    }

    package func body(for kind: RequestKind, requestID: String?) -> [UInt8] {
        ErrorBody(message: message, type: type, param: parameter, code: code)
            .bytes(for: kind, status: status, requestID: requestID)
    }
}

/// The one place where statuses are chosen.
package enum StatusTable {
    /// For bytes that are not HTTP/1.1 we take. Always closes: the framing is lost.
    package static func refusal(for refusal: HTTPRefusal) -> Refusal {
        let status =
            switch refusal {
            case .targetTooLong: 414
            case .fieldLineTooLong, .tooManyFields, .headTooLarge, .tooManyConnectionOptions, .trailersTooLarge: 431
            case .badVersion: 505
            case .badExpectation: 417
            case .badTransferCoding, .connectMethod: 501
            default: 400
            }
        return Refusal(status: status, code: refusal.rawValue, message: refusal.reason, closes: true)
    }

    /// For work that the scheduler ended, or whose engine failed, before the client was told anything.
    package static func refusal(for outcome: Outcome, retryAfter: Duration?) -> Refusal {
        func server(_ status: Int, _ message: String, retry: Bool = false) -> Refusal {
            Refusal(
                status: status, code: outcome.rawValue, message: message, type: "server_error",
                retryAfter: retry ? seconds(retryAfter) : nil, outcome: outcome)
        }
        switch outcome {
        case .queueFull: return busy(outcome, "The queue for this pool is full.", retryAfter)
        case .queueTimeout: return busy(outcome, "No engine had room within the time a request may wait.", retryAfter)
        case .enginesFull: return busy(outcome, "Every engine that was tried is full.", retryAfter)
        case .noEndpoint: return server(503, "No engine of this pool may take requests now.", retry: true)
        case .modelNotFound: return server(404, "The model is not served here.")
        case .connectFailed: return server(502, "No connection to an engine could be made.")
        case .engineReset: return server(502, "The engine closed the connection before it answered.")
        case .engineTruncated: return server(502, "The engine's answer ended too early.")
        case .engineProtocol: return server(502, "The engine's answer was not valid HTTP, or over a limit.")
        case .answerTooLarge: return server(502, "The engine's answer is larger than what is kept of one.")
        case .firstByteTimeout: return server(504, "The engine did not begin to answer in time.")
        case .idleTimeout: return server(504, "The engine's answer stood still for too long.")
        case .shuttingDown: return server(503, "The gateway is shutting down.", retry: true)
        case .bufferBudget: return server(503, "The memory for request bodies is in use.", retry: true)
        case .withdrawn: return server(503, "The request was withdrawn.")
        case .requestRefused: return server(400, "The request was refused.")
        case .completed, .engineStreamError, .clientGone: return server(500, "The request ended without an answer.")
        }
    }

    private static func busy(_ outcome: Outcome, _ message: String, _ retryAfter: Duration?) -> Refusal {
        Refusal(
            status: 429, code: outcome.rawValue, message: message, type: "rate_limit_error",
            retryAfter: seconds(retryAfter), outcome: outcome)
    }

    /// Whole seconds, rounded up, 1 to 3600; 1 when nobody knows better.
    private static func seconds(_ duration: Duration?) -> Int {
        guard let duration else { return 1 }
        return Int(min(3600, max(1, duration.seconds.rounded(.up))))
    }

    package static func scan(_ failure: ScanFailure) -> Refusal {
        let body = ErrorBody(failure)
        return Refusal(
            status: 400, code: failure.code.rawValue, message: body.message, type: body.type, parameter: body.param)
    }

    package static let connectionsInUse = Refusal(
        status: 503, code: "connections_in_use", message: "The gateway has as many connections as limits.connections.",
        type: "server_error", retryAfter: 1, closes: true)

    package static let unauthorized = Refusal(
        status: 401, code: "invalid_api_key", message: "A valid API key is needed (Authorization: Bearer KEY).")

    package static let crossSite = Refusal(
        status: 403, code: "cross_site_request",
        message: "A page of another site may not change anything here: `Origin` names another host than `Host`. If the "
            + "page is yours, configure keys (keys.file), or let your proxy pass the page's `Host` on.",
        type: "permission_error")

    package static func methodNotAllowed(_ path: String) -> Refusal {
        Refusal(status: 405, code: "method_not_allowed", message: "\(path) takes POST only.", allow: "POST, OPTIONS")
    }

    package static func pathNotServed(_ path: String, model: String, pool: String) -> Refusal {
        Refusal(
            status: 404, code: "path_not_served",
            message: "The pool \(pool), which serves \(model), does not serve \(path).")
    }

    package static func pathUnknown(_ path: String) -> Refusal {
        Refusal(status: 404, code: "unknown_path", message: "There is nothing at \(path).")
    }

    /// OpenAI's shape; lists the first known models by name.
    package static func modelNotFound(_ model: String, known: [String]) -> Refusal {
        let shown = known.sorted().prefix(20).joined(separator: ", ")
        let more = known.count > 20 ? " and \(known.count - 20) more" : ""
        let list = known.isEmpty ? "No models are known yet." : "Known models: \(shown)\(more)."
        return Refusal(
            status: 404, code: "model_not_found", message: "The model `\(model)` does not exist here. \(list)",
            parameter: "model", outcome: .modelNotFound)
    }

    package static func bodyTooLarge(limit: Int) -> Refusal {
        Refusal(
            status: 413, code: "body_too_large", message: "The request body is larger than \(limit) bytes.",
            closes: true)
    }

    package static let lengthRequired = Refusal(
        status: 411, code: "length_required",
        message: "The request needs a body with a Content-Length or chunked transfer coding.")

    package static let notJSON = Refusal(
        status: 415, code: "unsupported_media_type", message: "The Content-Type must be application/json.", closes: true
    )

    package static let encodedBody = Refusal(
        status: 415, code: "unsupported_content_encoding",
        message: "The body must not have a Content-Encoding other than identity.", closes: true)

    package static let headTimeout = Refusal(
        status: 408, code: "header_timeout", message: "The request headers did not come in time.", closes: true)

    package static let bodyTimeout = Refusal(
        status: 408, code: "body_timeout", message: "The request body did not come in time.", closes: true)

    package static let priorityRefused = Refusal(
        status: 400, code: "priority_not_allowed", message: "This pool does not take a client's `priority`.",
        parameter: "priority")

    package static func controlBusy(limit: Int) -> Refusal {
        Refusal(
            status: 503, code: "control_busy", message: "More than \(limit) control requests are in flight.",
            type: "server_error", retryAfter: 1, closes: true)
    }

    package static let controlFailed = Refusal(
        status: 500, code: "internal_error", message: "The request could not be answered.", type: "server_error")

    /// Every code that a refusal may carry, sorted: the values of the label `reason` of `neap_refusals_total`.
    package static let codes: [String] = {
        let own = [
            unauthorized, crossSite, methodNotAllowed(""), pathNotServed("", model: "", pool: ""), pathUnknown(""),
            modelNotFound("", known: []), bodyTooLarge(limit: 0), lengthRequired, notJSON, encodedBody, headTimeout,
            bodyTimeout, priorityRefused, controlBusy(limit: 0), controlFailed, connectionsInUse,
        ]
        // Left out: what only an engine's answer can be, and outcomes of requests that were answered or need no answer.
        let framing = HTTPRefusal.allCases.filter { $0 != .badStatusLine }
        let scans = ScanFailure.Code.allCases.filter { $0 != .missingMember }
        let outcomes = Outcome.allCases.filter {
            ![.completed, .engineStreamError, .clientGone, .requestRefused, .answerTooLarge].contains($0)
        }
        let all = own.map(\.code) + framing.map(\.rawValue) + scans.map(\.rawValue) + outcomes.map(\.rawValue)
        return Set(all).sorted()
    }()
}
