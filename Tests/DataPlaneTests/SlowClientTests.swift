import FleetTracking
import FlowControl
import NIOCore
import NIOEmbedded
import SchedulerRuntime
import Testing

@testable import DataPlane

/// Clients that send or take too slowly, in time that the test moves: each is bounded in memory and in time.
@Suite struct SlowClientTests {
    static let closing = chat(headers: "Connection: close\r\n")

    /// Sends one request that ends its connection and answers it. The client has taken nothing yet.
    private func answered() throws -> EmbeddedGateway {
        let gateway = try EmbeddedGateway()
        let engine = try gateway.makeEngine()
        #expect(gateway.deliver(Self.closing))
        engine.pipeline.syncOperations.fireChannelRead(NIOAny(ByteBuffer(string: jsonAnswer("{\"ok\":1}"))))
        #expect(gateway.records.map(\.outcome) == [.completed])
        #expect(gateway.socket.isOutputEnding && gateway.channel.isActive)
        return gateway
    }

    @Test func theLastAnswerIsNotCutWhileItIsBeingTaken() throws {
        let gateway = try answered()
        gateway.setWritable(false)
        gateway.advance(by: .seconds(50))
        #expect(gateway.channel.isActive)
        // It has taken some: the limit begins anew.
        gateway.setWritable(true)
        gateway.advance(by: .seconds(50))
        #expect(gateway.channel.isActive)
        gateway.socket.endOutput()
        gateway.advance(by: .seconds(1))
        #expect(gateway.channel.isActive)
        gateway.advance(by: .seconds(2))
        #expect(!gateway.channel.isActive)
        #expect(gateway.finish().count == 1)
    }

    @Test func aClientThatTakesNothingOfItsLastAnswerIsCut() throws {
        let gateway = try answered()
        gateway.advance(by: .seconds(59))
        #expect(gateway.channel.isActive)
        gateway.advance(by: .seconds(2))
        #expect(!gateway.channel.isActive)
        #expect(gateway.connections.stalls == 1)
        #expect(gateway.finish().count == 1)
    }

    /// One that never reads its answers gets no further ones, is not read any further, and is closed in the end.
    @Test func aClientThatPipelinesAndNeverReadsIsBounded() throws {
        let gateway = try EmbeddedGateway(script: { _, _, _ in })
        let request = "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n"
        #expect(gateway.deliver(String(repeating: request, count: 10)))
        #expect(gateway.records.count == 10)
        gateway.setWritable(false)
        // One read was on its way; then nothing more is taken from the socket.
        #expect(!gateway.deliver(String(repeating: request, count: 10)))
        gateway.advance(by: .seconds(59))
        #expect(gateway.channel.isActive && gateway.records.count == 10)
        #expect(!gateway.deliver(request))
        gateway.advance(by: .seconds(2))
        #expect(!gateway.channel.isActive && gateway.connections.stalls == 1)
        #expect(gateway.finish().count == 10)
    }

    @Test func oneThatReadsAgainGetsTheRest() throws {
        let gateway = try EmbeddedGateway(script: { _, _, _ in })
        let request = "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n"
        #expect(gateway.deliver(request))
        // A read that was asked for before the window closed still comes. It is kept, and answered later.
        gateway.channel.pipeline.syncOperations.read()
        gateway.setWritable(false)
        #expect(gateway.deliver(request + request))
        #expect(gateway.records.count == 1)
        gateway.advance(by: .seconds(30))
        gateway.setWritable(true)
        #expect(gateway.finish().map(\.status) == [204, 204, 204])
    }

    @Test func aBodyThatTricklesIsTimedOutAsAWhole() throws {
        let gateway = try EmbeddedGateway(script: { _, _, _ in })
        gateway.deliver(LimitTests.path + LimitTests.json + "Content-Length: 500\r\n\r\n{")
        var given = 0
        while gateway.records.isEmpty, given < 100 {
            gateway.advance(by: .seconds(29))
            if gateway.records.isEmpty, gateway.deliver(" ") { given += 1 }
        }
        // Ten pieces of 29 seconds are less than the 300 that a body may take; the eleventh is not.
        #expect(given == 10)
        #expect(try gateway.text().hasPrefix("HTTP/1.1 408 "))
        #expect(gateway.finish().map(\.status) == [408])
        #expect(gateway.services.budget.usedBytes == 0)
    }

    @Test func aHeadThatTricklesIsTimedOutAsAWhole() throws {
        let gateway = try EmbeddedGateway(script: { _, _, _ in })
        gateway.deliver("POST /v1/messages HTTP/1.1\r\nHost: g\r\n")
        for _ in 0..<14 {
            gateway.advance(by: .seconds(1))
            gateway.deliver("A: b\r\n")
        }
        #expect(gateway.records.isEmpty)
        gateway.advance(by: .seconds(2))
        let text = try gateway.text()
        #expect(text.hasPrefix("HTTP/1.1 408 ") && text.contains("\"type\":\"error\""))
        #expect(gateway.finish().map(\.path) == ["/v1/messages"])
    }

    /// While a body waits for room its socket is not read: the client's window closes.
    @Test func aBodyWithoutRoomIsNotReadAnyFurther() throws {
        var settings = RelaySettings()
        settings.bufferBudgetBytes = 1000
        let gateway = try EmbeddedGateway(settings: settings, script: { _, _, _ in })
        #expect(gateway.deliver(LimitTests.path + LimitTests.json + "Content-Length: 5000\r\n\r\n{"))
        for _ in 0..<4 {
            gateway.advance(by: .seconds(1))
            #expect(!gateway.deliver(String(repeating: " ", count: 2000)))
        }
        #expect(gateway.services.budget.usedBytes <= 1000 && gateway.records.isEmpty)
        gateway.advance(by: .seconds(2))
        let text = try gateway.text()
        #expect(text.hasPrefix("HTTP/1.1 503 ") && text.contains("Retry-After: 1\r\n"))
        #expect(gateway.finish().map(\.outcome) == [.bufferBudget])
        #expect(gateway.services.budget.usedBytes == 0)
    }

    @Test func anIdleConnectionAndASilentOneAreClosed() throws {
        let silent = try EmbeddedGateway(script: { _, _, _ in })
        silent.advance(by: .seconds(14))
        #expect(silent.channel.isActive)
        silent.advance(by: .seconds(2))
        #expect(!silent.channel.isActive)
        let kept = try EmbeddedGateway(script: { _, _, _ in })
        kept.deliver("OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n")
        kept.advance(by: .seconds(74))
        #expect(kept.channel.isActive)
        kept.advance(by: .seconds(2))
        #expect(!kept.channel.isActive)
        #expect(silent.finish().isEmpty && kept.finish().count == 1)
    }

    // MARK: Places of the reserve

    @Test(arguments: [nil, "GET /livez HTTP/1.1\r\nHost: "])
    func aPlaceOfTheReserveIsNotHeldByAClientThatIsSlow(_ part: String?) throws {
        let gateway = try EmbeddedGateway(isReserved: true, script: { _, _, _ in })
        gateway.advance(by: .milliseconds(1500))
        if let part { gateway.deliver(part) }
        #expect(gateway.client.phase == .head)
        // The first byte of a head gives it no more time.
        gateway.advance(by: .milliseconds(700))
        #expect(gateway.client.phase == (part == nil ? .closed : .lingering))
        #expect(try gateway.answers().map(\.status) == (part == nil ? [] : [408]))
        gateway.finish()
    }

    @Test(arguments: [false, true])
    func aRequestOnAPlaceOfTheReserveIsTakenWhenThereIsRoomAgain(hasRoom: Bool) throws {
        let gateway = try EmbeddedGateway(isReserved: true, script: { _, _, _ in })
        if hasRoom { gateway.otherPermit?.release() }
        gateway.deliver(chat())
        #expect(gateway.arrivals == (hasRoom ? 1 : 0) && gateway.client.closesAfterAnswer == !hasRoom)
        #expect(try gateway.answers().map(\.status) == (hasRoom ? [] : [503]))
        #expect(gateway.connections.current == (hasRoom ? 1 : 2))
        // The place is a client's now, and the reserve is whole.
        #expect(hasRoom == (gateway.connections.take().map { $0.isReserved } == true))
        gateway.finish()
    }
}
