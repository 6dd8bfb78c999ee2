package import DataPlane
import HTTPTypes
package import Hummingbird
package import Logging

/// Answers control requests by calling a Hummingbird responder in process; nothing here listens on a port.
///
/// The request's body is pulled by the route, piece by piece; each piece of the answer waits for the client's
/// socket. So neither direction holds more than one piece in memory.
package struct RouterBridge<Responder: HTTPResponder>: ControlSurface where Responder.Context == ControlContext {
    private let responder: Responder
    private let logger: Logger

    package init(responder: Responder, logger: Logger) {
        self.responder = responder
        self.logger = logger
    }

    package func respond(to request: ControlRequest, writer: any ControlResponseWriter) async throws {
        let context = makeContext(request)
        let response: Response
        if let bridged = Request(control: request) {
            response = try await responder.respond(to: bridged, context: context)
        } else {
            response = Failure.badRequest("The method or path cannot be understood.").response
        }
        try await send(response, to: request, writer: writer)
    }

    private func makeContext(_ request: ControlRequest) -> ControlContext {
        var logger = logger
        // Hummingbird reads this entry without asking whether it is there.
        logger[metadataKey: "hb.request.id"] = .string(request.requestID)
        return ControlContext(
            source: .init(
                logger: logger, identity: request.identity, requestID: request.requestID,
                contentLength: request.contentLength))
    }

    private func send(
        _ response: Response, to request: ControlRequest, writer: any ControlResponseWriter
    ) async throws {
        var headers: [(name: String, value: String)] = []
        for field in response.headers where field.name != .contentLength {
            headers.append((field.name.rawName, field.value))
        }
        // An answer to HEAD has no body, and its length says what GET would have brought.
        let isHead = request.method == "HEAD"
        let length = isHead ? response.headers[.contentLength].flatMap(Int.init) : response.body.contentLength
        try await writer.writeHead(status: response.status.code, headers: headers, contentLength: length)
        if isHead {
            try await writer.finish()
        } else {
            try await response.body.write(BridgeBodyWriter(writer: writer))
        }
    }
}

extension Request {
    /// Nil when the method or the path is not one a route can have.
    fileprivate init?(control request: ControlRequest) {
        // Only the origin form reaches Hummingbird's URI reader.
        guard request.uri.hasPrefix("/"), let method = HTTPRequest.Method(request.method) else { return nil }
        var fields = HTTPFields()
        for header in request.headers {
            guard let name = HTTPField.Name(header.name) else { continue }
            fields.append(HTTPField(name: name, value: header.value))
        }
        let host = request.headers.first { $0.name.lowercased() == "host" }?.value
        let head = HTTPRequest(
            method: method, scheme: nil, authority: host, path: request.uri, headerFields: fields)
        self.init(head: head, body: RequestBody(asyncSequence: BridgedBody(body: request.body)))
    }
}
