import DataPlane
import FlowControl
import JobDispatching
import JobLifecycle
import JobStores
import Scheduling
import Testing

/// Lines with `store: true` leave something behind on their engine, so a second sending would leave it twice.
@Suite("Batch lines that may be sent once", .timeLimit(.minutes(2)))
struct SendOnceTests {
    private static let stored = FeederStage.line("stored", more: "\"store\":true,")

    private func error(_ stage: FeederStage, _ batch: Batch) async throws -> [String: String] {
        try #require(try await stage.objects(batch.errorFile).first?["error"] as? [String: String])
    }

    @Test("a connection that breaks after the sending ends the line, and not others")
    func breakOff() async throws {
        let port = FakePort { placed in
            placed.number == 1 ? .breakOff(.engineReset) : .answer(status: 200, body: "{}")
        }
        let stage = try FeederStage(port: port)
        try await stage.run { stage in
            let batch = try await stage.createBatch(Self.stored + "\n" + FeederStage.line("plain"))
            await stage.advanceUntilEnded(batch)
            let done = try await stage.end(of: batch)
            #expect(done.counts == BatchCounts(total: 2, completed: 1, failed: 1))
            let tries = stage.port.placed.all.map(\.customID)
            #expect(tries.filter { $0 == "stored" }.count == 1)
            #expect(tries.filter { $0 == "plain" }.count == 2)
            let error = try await error(stage, done)
            #expect(error["code"] == "engine_reset")
            #expect(error["message"]?.contains("not sent a second time") == true)
        }
    }

    @Test("an answer that finds no memory ends the line, and for others is an attempt that counts")
    func unkept() async throws {
        let port = FakePort { _ in .breakOff(.bufferBudget) }
        let stage = try FeederStage(port: port)
        try await stage.run { stage in
            let batch = try await stage.createBatch(Self.stored + "\n" + FeederStage.line("plain"))
            await stage.advanceUntilEnded(batch)
            let done = try await stage.end(of: batch)
            #expect(done.counts == BatchCounts(total: 2, failed: 2))
            let tries = stage.port.placed.all.map(\.customID)
            #expect(tries.filter { $0 == "stored" }.count == 1)
            #expect(tries.filter { $0 == "plain" }.count == 5)
            let errors = try await stage.objects(done.errorFile).compactMap { $0["error"] as? [String: String] }
            #expect(errors.map { $0["code"] } == ["buffer_budget", "buffer_budget"])
            #expect(errors.first?["message"]?.contains("not sent a second time") == true)
        }
    }

    @Test("the data path is told that it may not send twice either")
    func arrival() async throws {
        let stage = try FeederStage()
        try await stage.run { stage in
            _ = try await stage.end(of: try await stage.createBatch(Self.stored + "\n" + FeederStage.line("plain")))
            #expect(stage.port.placed.all.map(\.attempt.arrival.mayRetryAfterSend) == [false, true])
        }
    }

    @Test("what never left the gateway is tried again")
    func unsent() async throws {
        let outcomes: [Outcome] = [.connectFailed, .queueTimeout, .noEndpoint, .bufferBudget]
        let port = FakePort { placed in
            placed.number <= outcomes.count ? .end(outcomes[placed.number - 1]) : .answer(status: 200, body: "{}")
        }
        let stage = try FeederStage(port: port)
        try await stage.run { stage in
            let batch = try await stage.createBatch(Self.stored)
            await stage.advanceUntilEnded(batch)
            #expect(try await stage.end(of: batch).counts == BatchCounts(total: 1, completed: 1))
        }
    }

    @Test("a life that ends while it is under way does not leave it to the next", arguments: [false, true])
    func interrupted(isKilled: Bool) async throws {
        let first = try FeederStage(port: FakePort { _ in .hold })
        let batch = try await first.createBatch(Self.stored + "\n" + FeederStage.line("plain"))
        let body: @Sendable (FeederStage) async throws -> Void = { stage in
            await stage.port.placed.wait { $0.count == 2 }
        }
        if isKilled {
            try await first.runUntilKilled(body)
            await first.store.close()
        } else {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await first.run(body) }
                await first.scheduler.events.wait { events in
                    events.contains { if case .asyncPaused(true) = $0 { true } else { false } }
                }
                while first.port.withdrawn.all.count < 2 {
                    first.clock.advance(by: .seconds(1))
                    await Task.yield()
                }
                try await group.waitForAll()
            }
        }
        let second = try FeederStage(at: first.path)
        try await second.run { stage in
            let done = try await stage.end(of: batch)
            #expect(done.counts == BatchCounts(total: 2, completed: 1, failed: 1))
            #expect(stage.port.placed.all.map(\.customID) == ["plain"])
            #expect(try await error(stage, done)["code"] == "interrupted")
        }
    }
}
