import DataPlane
import FleetTracking
import FlowControl
import NIOCore
import SchedulerRuntime
import Scheduling
import Synchronization
import Testing

/// Slow sides, many at once, and the end of the process.
@Suite(.timeLimit(.minutes(2))) struct FlowTests {
    @Test func aClientThatDoesNotReadStopsTheEngineAndIsCutInTheEnd() async throws {
        let written = Atomic<Int>(0)
        let stopped = Journal<Int>()
        let piece = chunk(String(repeating: "x", count: 65_536))
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            try await socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<2000 {
                do { try await socket.send(piece) } catch { break }
                written.add(piece.utf8.count, ordering: .relaxed)
            }
            stopped.append(1)
        }
        var options = FixtureOptions()
        options.settings.writeStall = .milliseconds(400)
        try await withGateway([engine], options) { gateway in
            let socket = try await gateway.connect(autoRead: false)
            try await socket.send(chat())
            await gateway.records.wait { $0.count == 1 }
            await stopped.wait { !$0.isEmpty }
            // 128 MB were to come; what the kernels' socket buffers hold has passed, no more.
            #expect(written.load(ordering: .relaxed) < 24 << 20)
            #expect(gateway.records.entries[0].outcome == .clientGone)
            #expect(await gateway.listener.runningWorks() == 0)
        }
    }

    /// Refusals come without an engine's speed to hold them back: what is not taken must.
    @Test func aClientThatPipelinesAndNeverReadsIsCutInTheEnd() async throws {
        var options = FixtureOptions()
        options.settings.writeStall = .milliseconds(400)
        try await withGateway([], options) { gateway in
            let socket = try await gateway.connect(autoRead: false)
            let request = "GET /" + String(repeating: "a", count: 8000) + " HTTP/1.1\r\nHost: g\r\n\r\n"
            // 160 MB of requests ask for as many bytes of answers.
            await #expect(throws: (any Error).self) {
                for _ in 0..<20_000 { try await socket.send(request) }
            }
            await socket.close()
            #expect(gateway.listener.connections.stalls == 1)
            let answered = gateway.records.entries.reduce(0) { $0 + $1.bytesOut }
            #expect(answered > 0 && answered < 24 << 20)
            #expect(gateway.records.entries.allSatisfy { $0.status == 404 && $0.refusal == "unknown_path" })
        }
    }

    /// The end of a connection is not the end of its last answer: a client may take it as slowly as any other.
    @Test func aSlowReaderGetsEveryByteOfTheLastAnswerToo() async throws {
        let size = 24_000_000
        let engine = FakeEngine.answering { _ in jsonAnswer(String(repeating: "z", count: size)) }
        var options = FixtureOptions()
        options.settings.lingerTime = .milliseconds(10)
        options.settings.keepAliveIdle = .milliseconds(700)
        // All of it is taken from the engine at once, and most of it then waits for the client.
        options.settings.writeHighWater = 64 << 20
        options.settings.writeLowWater = 32 << 20
        try await withGateway([engine], options) { gateway in
            let socket = try await gateway.connect(autoRead: false)
            try await socket.send(chat(headers: "Connection: close\r\n"))
            await gateway.records.wait { $0.count == 1 }
            // On either loop a limit that began later has passed when these are closed.
            for other in [try await gateway.connect(), try await gateway.connect()] {
                try await other.send("OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n")
                #expect(await other.takeMessage()?.status == 204)
                await other.untilClosed()
            }
            try await socket.channel.setOption(ChannelOptions.autoRead, value: true).get()
            #expect(await socket.takeMessage()?.body.count == size)
            #expect(await socket.takeAll() == "")
        }
    }

    @Test func aSlowReaderGetsEveryByte() async throws {
        let piece = String(repeating: "y", count: 100_000)
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            try await socket.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<100 { try await socket.send(chunk(piece)) }
            try await socket.send("0\r\n\r\n")
            await socket.untilClosed()
        }
        try await withGateway([engine]) { gateway in
            let socket = try await gateway.connect(autoRead: false)
            try await socket.send(chat())
            await gateway.events.wait { $0.contains { if case .started = $0 { true } else { false } } }
            try await socket.channel.setOption(ChannelOptions.autoRead, value: true).get()
            let answer = try #require(await socket.takeMessage())
            #expect(answer.body.count == 10_000_000)
            #expect(answer.body.allSatisfy { $0 == UInt8(ascii: "y") })
        }
    }

    @Test func manyAtOnceLeaveNothingBehind() async throws {
        let engine = FakeEngine { socket in
            while await socket.takeMessage() != nil {
                try await socket.send(streamHead)
                for _ in 0..<5 { try await socket.send(chunk(event("w"))) }
                try await socket.send("0\r\n\r\n")
            }
        }
        try await withGateway([engine]) { gateway in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for client in 0..<60 {
                    group.addTask {
                        let socket = try await gateway.connect()
                        for turn in 0..<4 {
                            try await socket.send(chat("{\"model\":\"mock\",\"stream\":true}"))
                            if client % 3 == 0 && turn == 2 { break }
                            #expect(await socket.takeMessage()?.chunks.count == 5)
                        }
                        await socket.close()
                    }
                }
                try await group.waitForAll()
            }
            await gateway.records.wait { $0.count == 40 * 4 + 20 * 3 }
            #expect(await gateway.everyWorkEndsOnce())
            #expect(await gateway.listener.runningWorks() == 0)
            #expect(gateway.listener.budget.usedBytes == 0)
        }
    }

    @Test func outputIsToldToTheSchedulerWhileItComes() async throws {
        let go = Journal<Int>()
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            try await socket.send(streamHead + chunk(event("a")) + chunk(event("b")))
            await go.wait { !$0.isEmpty }
            try await socket.send(chunk(event("c")) + "0\r\n\r\n")
        }
        try await withGateway([engine]) { gateway in
            let socket = try await gateway.connect()
            try await socket.send(chat("{\"model\":\"mock\",\"stream\":true}"))
            await gateway.events.wait { $0.contains { if case .progressed = $0 { true } else { false } } }
            go.append(1)
            _ = await socket.takeMessage()
            await gateway.records.wait { $0.count == 1 }
            var told = 0
            for event in gateway.events.entries {
                if case .progressed(let reports) = event { told += reports.reduce(0) { $0 + $1.outputTokens } }
            }
            #expect(told == 3)
            // Engines are timed by these: the last report is of a later token than the first.
            let last = gateway.events.entries.compactMap { event in
                if case .progressed(let reports) = event { reports.first?.lastOutputAt } else { nil }
            }
            #expect(last.count >= 2 && last == last.sorted() && last.first != last.last)
            let streams = gateway.events.entries.compactMap { event in
                if case .arrived(let arrival) = event { arrival.isStream } else { nil }
            }
            #expect(streams == [true])
        }
    }
}
