import DataPlane
import NIOCore
import Synchronization

extension ControlRequest {
    /// A request whose body comes in these pieces.
    init(
        _ method: String, _ uri: String, headers: [(name: String, value: String)] = [],
        identity: Identity = Identity(), pieces: [[UInt8]] = [], isChunked: Bool = false
    ) {
        let rest = Mutex(pieces[...])
        self.init(
            method: method, uri: uri, headers: headers, identity: identity, requestID: "req-test",
            contentLength: isChunked ? nil : pieces.reduce(0) { $0 + $1.count },
            body: ControlBody { rest.withLock { $0.popFirst() }.map { ByteBuffer(bytes: $0) } })
    }

    init(
        _ method: String, _ uri: String, json: String, headers: [(name: String, value: String)] = [],
        identity: Identity = Identity()
    ) {
        self.init(
            method, uri, headers: headers + [("content-type", "application/json")], identity: identity,
            pieces: [Array(json.utf8)])
    }
}

extension ControlSurface {
    /// Sends one request and waits for the whole answer.
    func answer(_ request: ControlRequest) async throws -> RecordingWriter.Answer {
        let writer = RecordingWriter()
        try await respond(to: request, writer: writer)
        return writer.recorded
    }
}
