import DataPlane
import NIOCore
import Synchronization

/// A client's side of one answer, kept in memory.
final class RecordingWriter: ControlResponseWriter {
    struct Answer: Sendable {
        var status = 0
        var headers: [(name: String, value: String)] = []
        var contentLength: Int?
        var pieces: [[UInt8]] = []
        var isFinished = false

        var bytes: [UInt8] { pieces.flatMap { $0 } }
        var text: String { String(decoding: bytes, as: UTF8.self) }

        func header(_ name: String) -> String? {
            headers.first { $0.name.lowercased() == name.lowercased() }?.value
        }
    }

    struct ClientGone: Error {}

    private let answer = Mutex(Answer())
    /// Called before each piece is taken; may wait (a slow client) or throw (a client that went away).
    private let onPiece: @Sendable ([UInt8]) async throws -> Void

    init(onPiece: @escaping @Sendable ([UInt8]) async throws -> Void = { _ in }) { self.onPiece = onPiece }

    var recorded: Answer { answer.withLock { $0 } }

    func writeHead(status: Int, headers: [(name: String, value: String)], contentLength: Int?) async throws {
        answer.withLock {
            precondition($0.status == 0, "a second head")
            $0.status = status
            $0.headers = headers
            $0.contentLength = contentLength
        }
    }

    func write(_ piece: ByteBuffer) async throws {
        let bytes = Array(piece.readableBytesView)
        try await onPiece(bytes)
        answer.withLock {
            precondition($0.status != 0 && !$0.isFinished, "a piece out of order")
            $0.pieces.append(bytes)
        }
    }

    func finish() async throws {
        answer.withLock {
            precondition($0.status != 0 && !$0.isFinished, "an end out of order")
            $0.isFinished = true
        }
    }
}
