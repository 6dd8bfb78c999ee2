import NIOCore

/// One control request between its connection (on the event loop) and the task that answers it.
///
/// The state below the line is touched on the event loop only; the task reaches it by hops and waits in continuations,
/// each of which is resumed exactly once: with a value, or with a failure when the client goes away.
// Safe because every stored variable is touched on `eventLoop` only, after `init`.
final class ControlCall: ControlResponseWriter, @unchecked Sendable {
    let eventLoop: any EventLoop
    let requestID: String
    let path: String
    private let head: ControlHead
    // ---- on the loop
    private weak var connection: ClientConnection?
    private var pieces = CircularBuffer<ByteBuffer>()
    private var queuedBytes = 0
    private(set) var bodyEnded: Bool
    private var failure: ControlFailure?
    private var bodyWaiter: CheckedContinuation<ByteBuffer?, any Error>?
    private var writeWaiter: CheckedContinuation<Void, any Error>?
    private var goneWaiter: CheckedContinuation<Void, Never>?
    private var isOver = false
    private var headIsWritten = false
    private var isFinished = false
    /// Body bytes that are queued before reading stops.
    private static let queueLimit = 256 << 10

    /// The head of a control request as values.
    struct ControlHead: Sendable {
        var method: String
        var uri: String
        var headers: [(name: String, value: String)]
        var identity: Identity
        var contentLength: Int?
    }

    init(_ head: ControlHead, connection: ClientConnection, hasBody: Bool) {
        self.head = head
        self.connection = connection
        eventLoop = connection.loop.eventLoop
        requestID = connection.request.id
        path = connection.request.path
        bodyEnded = !hasBody
    }

    func request() -> ControlRequest {
        ControlRequest(
            method: head.method, uri: head.uri, headers: head.headers, identity: head.identity, requestID: requestID,
            contentLength: head.contentLength, body: ControlBody { try await self.nextPiece() })
    }

    // MARK: The connection's side, on the loop

    /// The socket should be read: the task waits for bytes, or the queue has room.
    var wantsBody: Bool { !bodyEnded && failure == nil && queuedBytes < ControlCall.queueLimit }

    func take(_ piece: ByteBuffer) {
        guard failure == nil, piece.readableBytes > 0 else { return }
        if let waiter = bodyWaiter {
            bodyWaiter = nil
            waiter.resume(returning: piece)
        } else {
            queuedBytes += piece.readableBytes
            pieces.append(piece)
        }
    }

    func endBody() {
        bodyEnded = true
        bodyWaiter?.resume(returning: nil)
        bodyWaiter = nil
    }

    /// Nothing more comes or goes: every waiting continuation is told.
    func fail(_ failure: ControlFailure) {
        guard self.failure == nil else { return }
        self.failure = failure
        pieces = []
        bodyWaiter?.resume(throwing: failure)
        bodyWaiter = nil
        writeWaiter?.resume(throwing: failure)
        writeWaiter = nil
        goneWaiter?.resume()
        goneWaiter = nil
    }

    func becameWritable() {
        writeWaiter?.resume()
        writeWaiter = nil
    }

    /// The bridge no longer takes requests.
    func abandon() {
        guard eventLoop.inEventLoop else { return eventLoop.execute { self.abandon() } }
        over(ControlFailure.clientGone)
    }

    private func over(_ error: (any Error)?) {
        guard !isOver else { return }
        isOver = true
        goneWaiter?.resume()
        goneWaiter = nil
        connection?.controlEnded(self, headIsWritten: headIsWritten, isWhole: error == nil && isFinished)
    }

    // MARK: The task's side

    private func nextPiece() async throws -> ByteBuffer? {
        try await withCheckedThrowingContinuation { continuation in
            eventLoop.execute {
                if let failure = self.failure { return continuation.resume(throwing: failure) }
                if !self.pieces.isEmpty {
                    let piece = self.pieces.removeFirst()
                    self.queuedBytes -= piece.readableBytes
                    continuation.resume(returning: piece)
                } else if self.bodyEnded {
                    return continuation.resume(returning: nil)
                } else {
                    self.bodyWaiter = continuation
                }
                self.connection?.controlWantsBody()
            }
        }
    }

    func writeHead(status: Int, headers: [(name: String, value: String)], contentLength: Int?) async throws {
        try await onConnection { connection in
            guard !self.headIsWritten else { throw ControlFailure.misuse }
            self.headIsWritten = true
            connection.writeControlHead(status: status, headers: headers, contentLength: contentLength)
        }
    }

    func write(_ piece: ByteBuffer) async throws {
        try await onConnection { connection in
            guard self.headIsWritten, !self.isFinished else { throw ControlFailure.misuse }
            connection.writeControlPiece(piece)
        }
    }

    func finish() async throws {
        try await onConnection { connection in
            guard self.headIsWritten, !self.isFinished else { throw ControlFailure.misuse }
            self.isFinished = true
            connection.writeControlEnd()
        }
    }

    /// Called once, when the answer's task is done with it.
    func close(_ error: (any Error)?) async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            eventLoop.execute {
                self.over(error)
                continuation.resume()
            }
        }
    }

    /// Returns when the client has gone, or the answer is over.
    func untilClientIsGone() async {
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            eventLoop.execute {
                if self.failure != nil || self.isOver { return continuation.resume() }
                self.goneWaiter = continuation
            }
        }
    }

    /// Runs `work` on the loop and returns when the client's socket takes more.
    private func onConnection(_ work: @escaping @Sendable (ClientConnection) throws -> Void) async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            eventLoop.execute {
                if let failure = self.failure { return continuation.resume(throwing: failure) }
                guard let connection = self.connection, !self.isOver else {
                    return continuation.resume(throwing: ControlFailure.clientGone)
                }
                do {
                    try work(connection)
                } catch {
                    return continuation.resume(throwing: error)
                }
                // Writing may have closed the connection, or have filled its buffer.
                if let failure = self.failure { return continuation.resume(throwing: failure) }
                if connection.isWritable {
                    continuation.resume()
                } else {
                    self.writeWaiter = continuation
                }
            }
        }
    }
}
