import JobDispatching
import JobLifecycle
import JobStores
import Testing

@Suite("Batches whose model no pool serves", .timeLimit(.minutes(2)))
struct UnknownModelTests {
    @Test("a model that nobody ever served fails the batch at validation, each line by name")
    func neverKnown() async throws {
        let stage = try FeederStage()
        try await stage.run { stage in
            let text = FeederStage.line("a") + "\n" + FeederStage.line("b", model: "typo")
            let done = try await stage.end(of: try await stage.createBatch(text))
            #expect(done.state == .failed)
            let fault = try #require(done.faults.first)
            #expect(fault.code == "model_not_found")
            #expect(fault.parameter == "body.model")
            #expect(fault.line == 2)
            #expect(fault.message.contains("typo"))
            #expect(stage.port.placed.all.isEmpty)
        }
    }

    @Test("accepted lines wait for engines that are away after a restart, longer than any grace")
    func awayAfterRestart() async throws {
        let first = try FeederStage(slots: 0)
        let early = try await first.createBatch(lines: 2)
        try await first.run { stage in await stage.waitUntilRunning(1) }
        // Nothing is known at the start, and for a quarter of an hour.
        let clock = HandClock()
        let second = try FeederStage(at: first.path, clock: clock, models: [])
        second.change(FeederStage.directory([], awaitsModels: true))
        try await second.run { stage in
            // Made while the engines are away: its model was served in the first life.
            let late = try await stage.createBatch(lines: 3)
            await stage.waitUntilRunning(2)
            for _ in 0..<500 {
                clock.advance(by: .seconds(2))
                await Task.yield()
            }
            stage.change(FeederStage.directory(["m"]))
            #expect(try await stage.end(of: early).counts == BatchCounts(total: 2, completed: 2))
            #expect(try await stage.end(of: late).counts == BatchCounts(total: 3, completed: 3))
        }
    }

    @Test("lines whose engines do not come back expire with their batch")
    func neverBack() async throws {
        let stage = try FeederStage(slots: 0)
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 2, window: .seconds(900))
            await stage.waitUntilRunning(1)
            stage.change(FeederStage.directory([]))
            stage.scheduler.free()
            await stage.advanceUntilEnded(batch)
            let done = try await stage.end(of: batch)
            #expect(done.state == .expired)
            let errors = try await stage.objects(done.errorFile).compactMap { $0["error"] as? [String: String] }
            #expect(errors.map { $0["code"] } == ["batch_expired", "batch_expired"])
        }
    }

    @Test("while an engine has not been heard a batch waits in validation, and goes on when its model comes")
    func undecided() async throws {
        let stage = try FeederStage()
        stage.change(FeederStage.directory(["m"], awaitsModels: true))
        try await stage.run { stage in
            let text = FeederStage.line("a") + "\n" + FeederStage.line("b", model: "late")
            let waiting = try await stage.createBatch(text)
            // Behind it in the queue, so that its end tells that the first was looked at.
            #expect(try await stage.end(of: try await stage.createBatch(lines: 1)).state == .completed)
            #expect(try await stage.store.batch(waiting.id, tenant: "").state == .validating)
            stage.change(FeederStage.directory(["m", "late"]))
            #expect(try await stage.end(of: waiting).counts == BatchCounts(total: 2, completed: 2))
        }
    }

    @Test("a file with another fault fails at once, whatever model it waits for")
    func undecidedAndFaulty() async throws {
        let stage = try FeederStage()
        stage.change(FeederStage.directory(["m"], awaitsModels: true))
        try await stage.run { stage in
            let done = try await stage.end(
                of: try await stage.createBatch(FeederStage.line("a", model: "late") + "\n{"))
            #expect(done.faults.map(\.code) == ["invalid_json_line"])
            #expect(done.faults.map(\.line) == [2])
        }
    }

    @Test("engines that are never heard are waited for no longer than the grace")
    func grace() async throws {
        let stage = try FeederStage()
        stage.change(FeederStage.directory(["m"], awaitsModels: true))
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 1, model: "late")
            await stage.advanceUntilEnded(batch)
            let done = try await stage.end(of: batch)
            #expect(done.faults.map(\.code) == ["model_not_found"])
            let waited = try #require(done.times.failed) - done.times.created
            #expect(waited >= .seconds(600))
        }
    }
}
