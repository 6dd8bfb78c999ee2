import ControlPlane
import DataPlane
import Hummingbird
import Logging
import NIOCore
import Synchronization
import Testing

@Suite struct RouterBridgeTests {
    private func bridge(_ routes: (Router<ControlContext>) -> Void) -> RouterBridge<RouterResponder<ControlContext>> {
        let router = Router(context: ControlContext.self, options: .autoGenerateHeadEndpoints)
        routes(router)
        return RouterBridge(responder: router.buildResponder(), logger: Logger(label: "test"))
    }

    /// Answers with the body it gets, piece by piece, while the body is still coming.
    private func echo() -> RouterBridge<RouterResponder<ControlContext>> {
        bridge { router in
            router.post("/echo") { request, _ in
                Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        try await writer.write(request.body)
                        try await writer.finish(nil)
                    })
            }
        }
    }

    @Test func aRouteAnswersWithoutAListener() async throws {
        let surface = bridge {
            $0.get("/hello/:name") { _, context in "hello \(try context.parameters.require("name"))" }
        }
        let answer = try await surface.answer(ControlRequest("GET", "/hello/neap?x=1"))
        #expect(answer.status == 200)
        #expect(answer.text == "hello neap")
        #expect(answer.contentLength == 10)
        #expect(answer.header("content-length") == nil, "the length is told once")
        #expect(answer.isFinished)
    }

    @Test func headTellsTheLengthAndHasNoBody() async throws {
        let answer = try await bridge { $0.get("/hello") { _, _ in "hello" } }.answer(ControlRequest("HEAD", "/hello"))
        #expect(answer.contentLength == 5)
        #expect(answer.pieces.isEmpty)
        #expect(answer.isFinished)
    }

    @Test func bothBodiesStreamOnePieceAtATime() async throws {
        // The body gives piece n + 1 only when asked; the writer notes how many were asked for when a piece arrives.
        let asked = Mutex(0)
        let askedAtPiece = Mutex<[Int]>([])
        let body = ControlBody {
            let count = asked.withLock { asked in
                asked += 1
                return asked
            }
            return count <= 5 ? ByteBuffer(string: "piece \(count)\n") : nil
        }
        let writer = RecordingWriter { _ in askedAtPiece.withLock { $0.append(asked.withLock { $0 }) } }
        let request = ControlRequest(
            method: "POST", uri: "/echo", headers: [], identity: Identity(), requestID: "r", contentLength: nil,
            body: body)
        try await echo().respond(to: request, writer: writer)
        #expect(askedAtPiece.withLock { $0 } == [1, 2, 3, 4, 5], "nothing is read ahead of what the client took")
        #expect(writer.recorded.text == (1...5).map { "piece \($0)\n" }.joined())
        #expect(writer.recorded.contentLength == nil)
    }

    @Test func aClientThatGoesAwayWhileReadingEndsTheRoute() async throws {
        let writer = RecordingWriter { _ in throw RecordingWriter.ClientGone() }
        await #expect(throws: RecordingWriter.ClientGone.self) {
            try await echo().respond(to: ControlRequest("POST", "/echo", pieces: [[1], [2]]), writer: writer)
        }
        #expect(!writer.recorded.isFinished)
    }

    @Test(arguments: [
        "", "*", "http:", "http://a", "hello", "://", "//", "/%", "/%zz?%", "/?", "/a?=&&=&%00", "/\u{0}é",
    ])
    func noPathTrapsTheRouter(uri: String) async throws {
        let surface = bridge { $0.get("/hello/**") { _, context in "\(context.parameters.getCatchAll())" } }
        for path in [uri, "/hello" + uri] {
            let answer = try await surface.answer(ControlRequest("GET", path))
            #expect([200, 400, 404].contains(answer.status))
        }
        let odd = try await surface.answer(ControlRequest("G T", "/hello/a"))
        #expect(odd.status == 400)
    }
}
