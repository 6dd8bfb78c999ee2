import DataPlane
import HTTPTypes
import Hummingbird
import NIOCore

/// Hands the pieces of a route's answer to the client's connection; every call waits for the socket.
struct BridgeBodyWriter: ResponseBodyWriter {
    let writer: any ControlResponseWriter

    func write(_ buffer: ByteBuffer) async throws {
        // An empty piece would end a chunked body.
        if buffer.readableBytes > 0 { try await writer.write(buffer) }
    }

    /// Trailers are not sent: no route makes any.
    consuming func finish(_ trailingHeaders: HTTPFields?) async throws { try await writer.finish() }
}
