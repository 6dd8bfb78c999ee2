package import NIOCore

/// A request on a control path (files, batches, admin, page), handed over by the connection that parsed its head.
package struct ControlRequest: Sendable {
    package var method: String
    /// Path and query as the client sent them.
    package var uri: String
    package var headers: [(name: String, value: String)]
    package var identity: Identity
    package var requestID: String
    /// Nil when the body is chunked.
    package var contentLength: Int?
    /// The body in pieces, with back-pressure to the client's socket; throws when the client goes away or sends bad framing.
    package var body: ControlBody

    package init(
        method: String, uri: String, headers: [(name: String, value: String)], identity: Identity, requestID: String,
        contentLength: Int?, body: ControlBody
    ) {
        self.method = method
        self.uri = uri
        self.headers = headers
        self.identity = identity
        self.requestID = requestID
        self.contentLength = contentLength
        self.body = body
    }
}

/// Who is asking.
package struct Identity: Sendable, Hashable {
    /// The tenant's name; "" when no keys are configured.
    package var tenant: String
    /// Objective, fairness and SLO headers count only from trusted keys.
    package var isTrusted: Bool
    /// May call `/admin`.
    package var isAdmin: Bool

    package init(tenant: String = "", isTrusted: Bool = true, isAdmin: Bool = true) {
        self.tenant = tenant
        self.isTrusted = isTrusted
        self.isAdmin = isAdmin
    }
}

/// Writes one answer to the client, in order: head, any number of pieces, end. Every call waits for the client's socket.
package protocol ControlResponseWriter: Sendable {
    /// `contentLength` nil: chunked.
    func writeHead(status: Int, headers: [(name: String, value: String)], contentLength: Int?) async throws
    func write(_ piece: ByteBuffer) async throws
    func finish() async throws
}

/// The control plane as the data plane sees it.
package protocol ControlSurface: Sendable {
    /// Answers one request; must call `finish` or throw. Runs as a child task of the bridge service.
    func respond(to request: ControlRequest, writer: any ControlResponseWriter) async throws
}

/// A request body read piece by piece.
package struct ControlBody: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer
    private let next: @Sendable () async throws -> ByteBuffer?

    /// `next` is called by one consumer at a time; nil is the end.
    package init(next: @escaping @Sendable () async throws -> ByteBuffer?) { self.next = next }

    package struct AsyncIterator: AsyncIteratorProtocol {
        let pull: @Sendable () async throws -> ByteBuffer?
        package mutating func next() async throws -> ByteBuffer? { try await pull() }
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(pull: next) }
}
