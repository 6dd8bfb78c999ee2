import DataPlane
import NIOCore

/// A request body whose failures can be told from failures of the route: the connection's are not ours to answer.
struct BridgedBody: AsyncSequence, Sendable {
    typealias Element = ByteBuffer
    let body: ControlBody

    struct AsyncIterator: AsyncIteratorProtocol {
        var iterator: ControlBody.AsyncIterator

        mutating func next() async throws -> ByteBuffer? {
            do {
                return try await iterator.next()
            } catch {
                throw BodyReadFailure(cause: error)
            }
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(iterator: body.makeAsyncIterator()) }
}

/// The client went away or broke the framing while its body was read. Passed on to the connection, never rendered.
struct BodyReadFailure: Error {
    let cause: any Error
}
