import DataPlane
import FleetTracking
import FlowControl
import SchedulerRuntime
import Scheduling
import Testing

@Suite(.timeLimit(.minutes(2))) struct FailureTests {
    static let stream = "{\"model\":\"mock\",\"stream\":true,\"messages\":[]}"

    func failures(_ gateway: GatewayFixture) -> [AttemptFailure] {
        gateway.events.entries.compactMap { if case .failed(_, let failure) = $0 { failure } else { nil } }
    }

    @Test func aDeadEndpointSendsTheRequestElsewhere() async throws {
        let dead = FakeEngine.answering { _ in "" }
        let alive = FakeEngine.answering { _ in jsonAnswer("{\"ok\":1}") }
        var options = FixtureOptions()
        options.ports = [1, nil]
        try await withGateway([dead, alive], options) { gateway in
            let answer = try #require(try await gateway.ask(chat()))
            #expect(answer.status == 200 && answer.text == "{\"ok\":1}")
            #expect(failures(gateway) == [.connect])
            await gateway.records.wait { $0.count == 1 }
            #expect(gateway.records.entries[0].attempts == 2 && gateway.records.entries[0].endpoint == EndpointID(1))
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    @Test(arguments: ["503 Service Unavailable", "429 Too Many Requests", "529 Overloaded"])
    func aFullEngineSendsTheRequestElsewhere(_ status: String) async throws {
        let full = FakeEngine.answering { _ in
            jsonAnswer("{\"error\":\"full\"}", status: status, extra: "Retry-After: 3\r\n")
        }
        let alive = FakeEngine.answering { request in jsonAnswer(request.text) }
        try await withGateway([full, alive]) { gateway in
            let socket = try await gateway.connect()
            for _ in 0..<3 {
                try await socket.send(chat())
                #expect(await socket.takeMessage()?.text == "{\"model\":\"mock\",\"messages\":[]}")
            }
            #expect(failures(gateway) == Array(repeating: .full(retryAfter: .seconds(3)), count: 3))
            // The refused answer was read to its end, so its connection was kept.
            #expect(gateway.engines[0].connections == 1)
        }
    }

    @Test func whenEveryEngineIsFullTheClientIsToldWhenToComeBack() async throws {
        let full = FakeEngine.answering { _ in jsonAnswer("{}", status: "503 Busy") }
        try await withGateway([full, full]) { gateway in
            let answer = try #require(try await gateway.ask(chat()))
            #expect(answer.status == 429)
            #expect(answer.header("retry-after") == "7")
            #expect(answer.text.contains("\"code\":\"engines_full\""))
            await gateway.records.wait { $0.count == 1 }
            #expect(gateway.records.entries[0].outcome == .enginesFull && gateway.records.entries[0].status == 429)
        }
    }

    @Test func theBodyOfARefusalOrAServerErrorIsNoStart() async throws {
        let broken = FakeEngine.answering { request in
            if request.text.contains("fine") { return jsonAnswer("{}") }
            let status = request.text.contains("wrong") ? "400 Bad Request" : "500 Broken"
            return jsonAnswer("{\"error\":\"x\"}", status: status)
        }
        try await withGateway([broken]) { gateway in
            for (text, status) in [("bad", 500), ("wrong", 400), ("fine", 200)] {
                let answer = try await gateway.ask(chat("{\"model\":\"mock\",\"messages\":[],\"user\":\"\(text)\"}"))
                #expect(answer?.status == status)
            }
            await gateway.records.wait { $0.count == 3 }
            let started = gateway.events.entries.filter { if case .started = $0 { true } else { false } }
            #expect(started.count == 1)
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    @Test func aResetBeforeTheFirstByteIsTheSchedulersToPlace() async throws {
        let broken = FakeEngine { socket in
            _ = await socket.takeMessage()
            await socket.reset()
        }
        let alive = FakeEngine.answering { _ in jsonAnswer("{}") }
        try await withGateway([broken, alive]) { gateway in
            let reply1 = try await gateway.ask(chat())
            #expect(reply1?.status == 200)
            #expect(failures(gateway) == [.reset(bytesSent: true)])
        }
    }

    @Test func aKeptConnectionThatDiedIsRetriedUnseen() async throws {
        let engine = FakeEngine { socket in
            // Each connection answers once, and closes when it is asked again.
            guard await socket.takeMessage() != nil else { return }
            try await socket.send(jsonAnswer("{}"))
            _ = await socket.takeMessage()
        }
        try await withGateway([engine]) { gateway in
            let socket = try await gateway.connect()
            for _ in 0..<4 {
                try await socket.send(chat())
                #expect(await socket.takeMessage()?.status == 200)
            }
            #expect(failures(gateway).isEmpty)
            #expect(gateway.engines[0].connections == 4)
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    @Test func aRequestWithSideEffectsNeverUsesAConnectionThatMayBeDead() async throws {
        let engine = FakeEngine { socket in
            guard await socket.takeMessage() != nil else { return }
            try await socket.send(jsonAnswer("{}"))
            _ = await socket.takeMessage()
        }
        try await withGateway([engine]) { gateway in
            let socket = try await gateway.connect()
            try await socket.send(chat())
            #expect(await socket.takeMessage()?.status == 200)
            try await socket.send(chat("{\"model\":\"mock\",\"store\":true}"))
            #expect(await socket.takeMessage()?.status == 200)
            let arrivals = gateway.events.entries.compactMap { if case .arrived(let it) = $0 { it } else { nil } }
            #expect(arrivals.map(\.mayRetryAfterSend) == [true, false])
        }
    }

    @Test func aCutAnswerNeverLooksWhole() async throws {
        let engine = FakeEngine { socket in
            guard let request = await socket.takeMessage() else { return }
            if request.text.contains("stream") {
                try await socket.send(streamHead + chunk(event("one")))
            } else {
                try await socket.send(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"a\"")
            }
        }
        try await withGateway([engine]) { gateway in
            for body in [Self.stream, "{\"model\":\"mock\"}"] {
                let socket = try await gateway.connect()
                try await socket.send(chat(body))
                let all = await socket.takeAll()
                #expect(all.hasPrefix("HTTP/1.1 200 OK\r\n"))
                #expect(all.hasSuffix(event("one") + "\r\n") || all.hasSuffix("{\"a\""))
            }
            await gateway.records.wait { $0.count == 2 }
            #expect(gateway.records.entries.allSatisfy { $0.outcome == .engineTruncated && $0.status == 200 })
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    @Test func anErrorEventIsPassedOnAndCounted() async throws {
        let engine = FakeEngine { socket in
            while await socket.takeMessage() != nil {
                try await socket.send(
                    streamHead + chunk(event("one"))
                        + chunk("data: {\"error\":{\"message\":\"oops\",\"code\":500}}\n\n")
                        + chunk("data: [DONE]\n\n") + "0\r\n\r\n")
            }
        }
        try await withGateway([engine]) { gateway in
            let answer = try #require(try await gateway.ask(chat(Self.stream)))
            #expect(answer.text.contains("oops") && answer.text.hasSuffix("data: [DONE]\n\n"))
            await gateway.records.wait { $0.count == 1 }
            #expect(gateway.records.entries[0].outcome == .engineStreamError)
        }
    }

    @Test func sglangsOverloadInTheFirstEventGoesElsewhere() async throws {
        let full = FakeEngine { socket in
            while await socket.takeMessage() != nil {
                try await socket.send(streamHead)
                try await socket.send(
                    chunk("data: {\"error\":{\"message\":\"The request queue is full.\",\"code\":503}}\n\n")
                        + chunk("data: [DONE]\n\n") + "0\r\n\r\n")
            }
        }
        let alive = FakeEngine { socket in
            while await socket.takeMessage() != nil {
                try await socket.send(streamHead + ": comment\n".chunked + chunk(event("one").prefix(9).description))
                try await socket.send(chunk(event("one").dropFirst(9).description) + "0\r\n\r\n")
            }
        }
        var options = FixtureOptions()
        options.kind = .sglang
        try await withGateway([full, alive], options) { gateway in
            let answer = try #require(try await gateway.ask(chat(Self.stream)))
            #expect(answer.status == 200 && answer.text == ": comment\n" + event("one"))
            #expect(failures(gateway) == [.full(retryAfter: nil)])
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    @Test func aClientThatGoesAwayClosesTheEnginesConnection() async throws {
        let (asked, closed) = (Journal<String>(), Journal<String>())
        let engine = FakeEngine { socket in
            guard let request = await socket.takeMessage() else { return }
            asked.append(request.text)
            if request.text.contains("stream") { try await socket.send(streamHead + chunk(event("one"))) }
            await socket.untilClosed()
            closed.append(request.text)
        }
        try await withGateway([engine]) { gateway in
            for (count, body) in [Self.stream, "{\"model\":\"mock\"}"].enumerated() {
                let socket = try await gateway.connect()
                try await socket.send(chat(body))
                if count == 0 { _ = await socket.take(through: event("one")) }
                await asked.wait { $0.count == count + 1 }
                await socket.close()
                await closed.wait { $0.count == count + 1 }
                await gateway.records.wait { $0.count == count + 1 }
            }
            #expect(gateway.records.entries.allSatisfy { $0.outcome == .clientGone })
            #expect(await gateway.everyWorkEndsOnce())
            #expect(await gateway.listener.runningWorks() == 0)
        }
    }

    @Test func aClientThatGoesAwayWhileItWaitsIsCancelled() async throws {
        var options = FixtureOptions()
        options.script = { _, _, _ in }
        try await withGateway([], options) { gateway in
            let socket = try await gateway.connect()
            try await socket.send(chat())
            await gateway.events.wait { !$0.isEmpty }
            await socket.close()
            await gateway.records.wait { $0.count == 1 }
            #expect(await gateway.everyWorkEndsOnce())
            #expect(gateway.listener.budget.usedBytes == 0)
        }
    }

    @Test func aWorkMayBeWithdrawnAtItsEngine() async throws {
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            await socket.untilClosed()
        }
        var options = FixtureOptions()
        options.script = { event, _, effects in
            if case .arrived(let arrival) = event {
                effects.append(.forward(arrival.work, EndpointID(0), attempt: 1))
            }
        }
        try await withGateway([engine], options) { gateway in
            let socket = try await gateway.connect()
            try await socket.send(chat())
            await gateway.events.wait { !$0.isEmpty }
            guard case .arrived(let arrival) = gateway.events.entries[0] else { return }
            gateway.listener.jobs.withdraw(arrival.work)
            #expect(await socket.takeMessage()?.status == 503)
            await gateway.records.wait { $0.count == 1 }
            #expect(gateway.records.entries[0].outcome == .withdrawn)
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    @Test(arguments: [
        "SSH-2.0-x\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    ])
    func anAnswerThatIsNotHTTPIsABadGateway(_ bytes: String) async throws {
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            try await socket.send(bytes)
            await socket.untilClosed()
        }
        try await withGateway([engine]) { gateway in
            let answer = try #require(try await gateway.ask(chat()))
            #expect(answer.status == 502 && answer.text.contains("engine_protocol"))
            #expect(failures(gateway) == [.protocolError])
        }
    }

    @Test func bytesBehindAnAnswerEndTheEnginesConnection() async throws {
        let engine = FakeEngine { socket in
            while await socket.takeMessage() != nil { try await socket.send(jsonAnswer("{}") + "HTTP/1.1 200") }
        }
        try await withGateway([engine]) { gateway in
            let socket = try await gateway.connect()
            try await socket.send(chat())
            // Longer than it said: the client is not given an answer that cannot be trusted to be whole.
            let all = await socket.takeAll()
            #expect(!all.contains("HTTP/1.1 200HTTP"))
            await gateway.records.wait { $0.count == 1 }
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    @Test func anEngineThatNeverAnswersIsATimeout() async throws {
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            await socket.untilClosed()
        }
        var options = FixtureOptions()
        options.settings.firstByteTimeout = .milliseconds(150)
        try await withGateway([engine], options) { gateway in
            let answer = try #require(try await gateway.ask(chat()))
            #expect(answer.status == 504 && answer.text.contains("first_byte_timeout"))
            #expect(failures(gateway) == [.firstByteTimeout])
        }
    }

    @Test func aStreamThatStandsStillIsCut() async throws {
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            try await socket.send(streamHead + chunk(event("one")))
            await socket.untilClosed()
        }
        var options = FixtureOptions()
        options.settings.streamIdle = .milliseconds(150)
        try await withGateway([engine], options) { gateway in
            let socket = try await gateway.connect()
            try await socket.send(chat(Self.stream))
            #expect(await socket.takeAll().hasSuffix(event("one") + "\r\n"))
            await gateway.records.wait { $0.count == 1 }
            #expect(gateway.records.entries[0].outcome == .idleTimeout)
        }
    }
}

extension String {
    var chunked: String { chunk(self) }
}
