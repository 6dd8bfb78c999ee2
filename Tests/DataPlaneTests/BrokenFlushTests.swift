import DataPlane
import FlowControl
import NIOCore
import SchedulerRuntime
import Scheduling
import Testing

/// The client is gone when the gateway's own answer is flushed. A socket then gives up what it still holds in the
/// middle of that flush: those bytes must not be read as the request in hand, and it is told once.
@Suite struct BrokenFlushTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var pieces: [String]
        var status: Int
        /// Time that passes before the gateway answers.
        var wait: Duration?
        var settings = RelaySettings()
        var testDescription: String { name }

        init(_ name: String, _ pieces: [String], _ status: Int, wait: Duration? = nil, budgetBytes: Int? = nil) {
            self.name = name
            self.pieces = pieces
            self.status = status
            self.wait = wait
            settings.bodyBytes = 1000
            settings.controlBodyBytes = 1000
            if let budgetBytes { settings.bufferBudgetBytes = budgetBytes }
        }
    }

    static let start = "POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Type: application/json\r\n"
    static let control = "POST /files HTTP/1.1\r\nHost: g\r\n"
    static let whole = chat("{\"model\":\"mock\",\"n\":1}")

    static let cases = [
        Case("a bad body in two reads", [start + "Content-Length: 20\r\n\r\n{\"no\":", "\"model\" : 1  }"], 400),
        Case("a bad body in one read", [chat("{}")], 400),
        Case("a bad chunked body", [start + "Transfer-Encoding: chunked\r\n\r\n2\r\n{", "}\r\n0\r\n\r\n"], 400),
        Case("bad chunks", [start + "Transfer-Encoding: chunked\r\n\r\n2\r\n{", "}!"], 400),
        Case(
            "a chunked body over the limit",
            [
                start + "Transfer-Encoding: chunked\r\n\r\n3\r\n{  \r\n",
                "fff\r\n" + String(repeating: "a", count: 1100),
            ],
            413),
        Case("a silent body", [start + "Content-Length: 20\r\n\r\n{"], 408, wait: .seconds(31)),
        Case("a slow head", ["POST /v1/chat/completions HTTP/1.1\r\nHost"], 408, wait: .seconds(16)),
        Case("a bad head", ["POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nA b\r\n"], 400),
        Case("a method that is not taken", ["GET /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n"], 405),
        Case("a question for methods", ["OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n"], 204),
        Case(
            "no room for the body", [start + "Content-Length: 900\r\n\r\n{" + String(repeating: " ", count: 500)], 503,
            wait: .seconds(6), budgetBytes: 100),
        Case("a bad upload", [control + "Transfer-Encoding: chunked\r\n\r\n2\r\nab", "!"], 400),
        Case("a silent upload", [control + "Content-Length: 20\r\n\r\n{"], 408, wait: .seconds(31)),
    ]

    @Test(arguments: cases)
    func whatTheFlushReadsIsNotTakenForTheRequest(_ test: Case) throws {
        // Behind the place where the head in hand ends there is a header line, an end of head and a body.
        let head = test.pieces[0].prefix { $0 != "{" }
        let padding = String(repeating: "x", count: head.utf8.count)
        for unread in [padding + "X-Evil: 1\r\n\r\n" + Self.whole, Self.whole, Self.whole + Self.whole] {
            let gateway = try EmbeddedGateway(settings: test.settings, script: { _, _, _ in })
            for (index, piece) in test.pieces.enumerated() {
                if index == test.pieces.count - 1 { gateway.socket.unreadAtFailure = ByteBuffer(string: unread) }
                #expect(gateway.deliver(piece))
            }
            if let wait = test.wait { gateway.advance(by: wait) }
            #expect(gateway.arrivals == 0)
            #expect(gateway.connections.current == 0)
            let records = gateway.finish()
            #expect(records.map(\.status) == [test.status])
            #expect(records.map(\.outcome) != [.clientGone])
            #expect(gateway.services.budget.usedBytes == 0)
        }
    }

    /// The scheduler refuses inside the call that hands the request over.
    @Test func aRefusalOfTheSchedulerIsToldOnce() throws {
        let gateway = try EmbeddedGateway { (event: Event, _, effects: inout [Effect]) in
            if case .arrived(let arrival) = event { effects.append(.refuse(arrival.work, .queueFull, retryAfter: nil)) }
        }
        gateway.socket.unreadAtFailure = ByteBuffer(string: Self.whole)
        #expect(gateway.deliver(Self.whole))
        #expect(gateway.finish().map(\.outcome) == [.queueFull])
        #expect(gateway.arrivals == 1 && gateway.runningWorks == 0)
    }
}
