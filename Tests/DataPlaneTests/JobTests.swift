import DataPlane
import FleetTracking
import FlowControl
import NIOCore
import SchedulerRuntime
import Scheduling
import Testing

@Suite(.timeLimit(.minutes(2))) struct JobTests {
    private func attempt(_ gateway: GatewayFixture, _ body: String = "{\"model\":\"mock\"}") -> JobAttempt {
        let arrival = Arrival(
            work: gateway.listener.jobs.makeWorkID(), pool: PoolID(0), model: ModelID(0), band: .async, promptTokens: 1,
            expectedOutputTokens: 1, timeToLive: .seconds(60))
        return JobAttempt(
            arrival: arrival, path: "/v1/chat/completions", body: ByteBuffer(string: body), requestID: "job-1",
            model: "mock", tenant: "acme")
    }

    private func place(
        _ gateway: GatewayFixture, _ attempt: JobAttempt, granted: Journal<EndpointID> = Journal()
    ) async -> JobAnswer {
        let answers = Journal<JobAnswer>()
        gateway.listener.jobs.place(attempt, onGrant: { granted.append($1) }, onAnswer: { answers.append($0) })
        await answers.wait { !$0.isEmpty }
        return answers.entries[0]
    }

    @Test func anAttemptIsGrantedSentAndAnswered() async throws {
        let seen = Journal<TestMessage>()
        let engine = FakeEngine.answering { request in
            seen.append(request)
            return jsonAnswer(
                "{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}", extra: "x-request-id: engine-7\r\n")
        }
        try await withGateway([engine]) { gateway in
            let granted = Journal<EndpointID>()
            let answer = await place(gateway, attempt(gateway), granted: granted)
            #expect(granted.entries == [EndpointID(0)])
            #expect(answer.outcome == .completed && answer.status == 200 && answer.engineRequestID == "engine-7")
            #expect(String(buffer: answer.body) == "{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}")
            #expect(answer.promptTokens == 3 && answer.outputTokens == 5 && answer.endpoint == EndpointID(0))
            #expect(seen.entries[0].text == "{\"model\":\"mock\"}" && seen.entries[0].header("x-request-id") == "job-1")
            await gateway.records.wait { $0.count == 1 }
            let record = gateway.records.entries[0]
            #expect(record.band == .async && record.tenant == "acme" && record.status == 200)
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    @Test func aChunkedAnswerComesWithoutItsFraming() async throws {
        let engine = FakeEngine { socket in
            while await socket.takeMessage() != nil {
                try await socket.send(
                    "HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk("{\"er") + chunk("ror\":1}"))
                try await socket.send("0\r\n\r\n")
            }
        }
        try await withGateway([engine]) { gateway in
            let answer = await place(gateway, attempt(gateway))
            #expect(answer.status == 400 && String(buffer: answer.body) == "{\"error\":1}")
        }
    }

    @Test func aFullPoolIsNotAnAnswer() async throws {
        let full = FakeEngine.answering { _ in jsonAnswer("{}", status: "503 Busy") }
        try await withGateway([full]) { gateway in
            let answer = await place(gateway, attempt(gateway))
            #expect(answer.outcome == .enginesFull && answer.status == 0 && answer.retryAfter == .seconds(7))
            #expect(await gateway.listener.runningWorks() == 0)
        }
    }

    @Test func withdrawingClosesTheEnginesConnection() async throws {
        let (asked, closed) = (Journal<Int>(), Journal<Int>())
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            asked.append(1)
            await socket.untilClosed()
            closed.append(1)
        }
        try await withGateway([engine]) { gateway in
            let attempt = attempt(gateway)
            let answers = Journal<JobAnswer>()
            gateway.listener.jobs.place(attempt, onGrant: { _, _ in }, onAnswer: { answers.append($0) })
            await asked.wait { !$0.isEmpty }
            gateway.listener.jobs.withdraw(attempt.arrival.work)
            await closed.wait { !$0.isEmpty }
            await answers.wait { !$0.isEmpty }
            #expect(answers.entries.map(\.outcome) == [.withdrawn])
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    @Test func anAnswerOverTheLimitIsRefused() async throws {
        var options = FixtureOptions()
        options.settings.jobAnswerBytes = 1000
        let engine = FakeEngine.answering { _ in jsonAnswer("{\"x\":\"" + String(repeating: "a", count: 5000) + "\"}") }
        try await withGateway([engine], options) { gateway in
            let answer = await place(gateway, attempt(gateway))
            #expect(answer.outcome == .answerTooLarge && answer.body.readableBytes == 0)
        }
    }

    /// However long it waited, there would never be room for it.
    @Test(arguments: [false, true])
    func anAnswerOverJobsHalfOfTheBudgetIsTooLarge(inChunks: Bool) async throws {
        var options = FixtureOptions()
        options.settings.bufferBudgetBytes = 8000
        let body = "{\"x\":\"" + String(repeating: "a", count: 5000) + "\"}"
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            if inChunks {
                try await socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk(body))
            } else {
                try await socket.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n")
            }
            await socket.untilClosed()
        }
        try await withGateway([engine], options) { gateway in
            let answer = await place(gateway, attempt(gateway))
            #expect(answer.outcome == .answerTooLarge && answer.body.readableBytes == 0)
            #expect(gateway.listener.budget.usedBytes == 0)
        }
    }

    @Test(arguments: [false, true])
    func answersThatGrowTogetherStayWithinJobsHalfOfTheBudget(inChunks: Bool) async throws {
        var options = FixtureOptions()
        options.settings.bufferBudgetBytes = 8000
        let body = "{\"x\":\"" + String(repeating: "a", count: 3000) + "\"}"
        let sent = Journal<Int>()
        let release = Journal<Bool>()
        // The first answer stays open with most of the room, so that the second finds too little.
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            if inChunks {
                try await socket.send(
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
                try await socket.send("\(String(body.utf8.count, radix: 16))\r\n\(body)\r\n")
            } else {
                let head =
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                try await socket.send(head + String(body.dropLast(1)))
            }
            sent.append(body.utf8.count)
            await release.wait { !$0.isEmpty }
            try await socket.send(inChunks ? "0\r\n\r\n" : "}")
        }
        try await withGateway([engine], options) { gateway in
            let answers = Journal<JobAnswer>()
            for _ in 0..<2 {
                let placed = sent.entries.count
                gateway.listener.jobs.place(attempt(gateway), onGrant: { _, _ in }, onAnswer: { answers.append($0) })
                await sent.wait { $0.count > placed }
            }
            await answers.wait { !$0.isEmpty }
            #expect(answers.entries.map(\.outcome) == [.bufferBudget])
            release.append(true)
            await answers.wait { $0.count == 2 }
            #expect(answers.entries.map(\.outcome) == [.bufferBudget, .completed])
            #expect(answers.entries.last.map { String(buffer: $0.body) } == body)
            #expect(gateway.listener.budget.usedBytes == 0)
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    /// Room is taken for what comes: an engine that announces a long answer and stays silent keeps none from others.
    @Test func anAnnouncedAnswerTakesNoRoom() async throws {
        var options = FixtureOptions()
        options.settings.bufferBudgetBytes = 4 << 20
        let body = "{\"x\":\"" + String(repeating: "a", count: 3 << 19) + "\"}"
        let begun = Journal<Int>()
        let release = Journal<Bool>()
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            let isFirst = begun.entries.isEmpty
            try await socket.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n{")
            begun.append(1)
            if isFirst { await release.wait { !$0.isEmpty } }
            try await socket.send(String(body.dropFirst(1)))
            await socket.untilClosed()
        }
        try await withGateway([engine], options) { gateway in
            let answers = Journal<JobAnswer>()
            gateway.listener.jobs.place(attempt(gateway), onGrant: { _, _ in }, onAnswer: { answers.append($0) })
            await begun.wait { !$0.isEmpty }
            let other = await place(gateway, attempt(gateway))
            #expect(other.outcome == .completed && String(buffer: other.body) == body)
            release.append(true)
            await answers.wait { !$0.isEmpty }
            #expect(answers.entries.map(\.outcome) == [.completed])
            #expect(gateway.listener.budget.usedBytes == 0)
        }
    }

    /// The bytes that came before the first event was whole are there when the answer is committed.
    @Test func anAnswerHeldForItsFirstEventTakesItsRoomOnce() async throws {
        var options = FixtureOptions()
        options.kind = .sglang
        options.settings.bufferBudgetBytes = 8000
        let body = event(String(repeating: "a", count: 3000)) + "data: [DONE]\n\n"
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            try await socket.send(
                "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
                    + body)
            await socket.untilClosed()
        }
        try await withGateway([engine], options) { gateway in
            let answer = await place(gateway, attempt(gateway))
            #expect(answer.outcome == .completed && String(buffer: answer.body) == body)
        }
    }

    @Test func aCutAnswerIsTold() async throws {
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            try await socket.send("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{")
        }
        try await withGateway([engine]) { gateway in
            let answer = await place(gateway, attempt(gateway))
            #expect(answer.outcome == .engineTruncated)
            #expect(await gateway.everyWorkEndsOnce())
        }
    }
}
