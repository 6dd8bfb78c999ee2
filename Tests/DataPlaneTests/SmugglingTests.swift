import DataPlane
import FlowControl
import NIOCore
import SchedulerRuntime
import Testing

/// Requests that a lenient proxy reads in one way and an engine in another. Each must be answered once with an error
/// and end the connection; nothing of it may reach an engine.
@Suite(.timeLimit(.minutes(2))) struct SmugglingTests {
    static let start = "POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Type: application/json\r\n"
    static let inner = "GET /admin HTTP/1.1\r\nHost: g\r\n\r\n"

    static let attacks: [String] = [
        // CL.TE and TE.CL in their spellings
        start + "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding : chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding:\tchunked, identity\r\n\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + inner,
        start + "X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inner,
        start + "X: y\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inner,
        start + "X: y\rTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inner,
        start + "X:\u{0}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding: chunk\u{e9}d\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding: gzip\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + inner,
        // Two lengths
        start + "Content-Length: 0\r\nContent-Length: 36\r\n\r\n" + inner,
        start + "Content-Length: 36, 0\r\n\r\n" + inner, start + "Content-Length: 0036x\r\n\r\n" + inner,
        start + "Content-Length: 0x24\r\n\r\n" + inner, start + "Content-Length: 3 6\r\n\r\n" + inner,
        start + "Content\u{0}Length: 4\r\n\r\n" + inner, start + "Content-Length\u{b}: 4\r\n\r\n" + inner,
        // Chunks
        start + "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding: chunked\r\n\r\n2;\n{}\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n" + inner,
        start + "Transfer-Encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding: chunked\r\n\r\n2 \r\n{}\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF2\r\n{}\r\n0\r\n\r\n" + inner,
        start + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\n" + inner,
        // Hosts and targets
        "POST http://evil/v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Length: 2\r\n\r\n{}",
        start + "Host: evil\r\nContent-Length: 2\r\n\r\n{}",
        "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
        "POST /v1/chat/completions HTTP/1.1 HTTP/1.1\r\nHost: g\r\nContent-Length: 2\r\n\r\n{}",
        "POST /v1/chat/completions\u{b}HTTP/1.1\r\nHost: g\r\nContent-Length: 2\r\n\r\n{}",
        "POST /v1/chat/completions HTTP/1.1\r\r\nHost: g\r\nContent-Length: 2\r\n\r\n{}",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + inner,
    ]

    @Test func everyAttackIsAnsweredOnceAndEndsTheConnection() async throws {
        try await withGateway([FakeEngine.answering { _ in jsonAnswer("{}") }]) { gateway in
            for (number, attack) in Self.attacks.enumerated() {
                let socket = try await gateway.connect()
                try await socket.send(attack)
                let answer = try #require(await socket.takeMessage(), "attack \(number)")
                #expect((400...505).contains(answer.status ?? 0), "attack \(number): \(answer.firstLine)")
                #expect(answer.header("connection") == "close", "attack \(number)")
                #expect(await socket.takeAll() == "", "attack \(number)")
                await socket.close()
            }
            #expect(gateway.engines[0].connections == 0)
            #expect(gateway.events.entries.isEmpty)
            await gateway.records.wait { $0.count == Self.attacks.count }
            #expect(gateway.records.entries.allSatisfy { $0.outcome == .requestRefused })
        }
    }

    /// Whatever bytes come, the gateway answers or closes, and serves the next client.
    @Test func randomDamageNeverStopsTheListener() async throws {
        try await withGateway([FakeEngine.answering { _ in jsonAnswer("{}") }]) { gateway in
            for seed in 1...60 {
                var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15
                var bytes = Array((chat() + Self.start + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n").utf8)
                for _ in 0..<4 {
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 24)
                }
                let socket = try await gateway.connect()
                try await socket.send(bytes)
                try? await socket.channel.close(mode: .all).get()
            }
            let reply1 = try await gateway.ask(chat())
            #expect(reply1?.status == 200)
        }
    }
}
