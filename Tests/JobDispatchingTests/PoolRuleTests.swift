import DataPlane
import JobDispatching
import JobLifecycle
import JobStores
import NIOCore
import SchedulerRuntime
import Testing

/// Lines obey the settings of the pool that serves their model, as real-time requests do.
@Suite("Batch lines and the rules of their pool", .timeLimit(.minutes(2)))
struct PoolRuleTests {
    @Test("a path that the pool does not serve fails the batch, and the fault names path and model")
    func pathAtValidation() async throws {
        let stage = try FeederStage()
        stage.change(FeederStage.directory(["m"], paths: ["/v1/embeddings"]))
        try await stage.run { stage in
            let done = try await stage.end(of: try await stage.createBatch(lines: 2))
            #expect(done.state == .failed)
            #expect(done.faults.map(\.line) == [1, 2])
            let fault = try #require(done.faults.first)
            #expect(fault.code == "path_not_served")
            #expect(fault.parameter == "url")
            #expect(fault.message.contains(FeederStage.endpoint) && fault.message.contains("m,"))
            #expect(stage.port.placed.all.isEmpty)
        }
    }

    @Test("a path that was taken from the pool after the validation fails its lines, unsent")
    func pathAtDispatch() async throws {
        let stage = try FeederStage(slots: 0)
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 2)
            await stage.waitUntilRunning(1)
            stage.change(FeederStage.directory(["m"], paths: []))
            stage.scheduler.free()
            let done = try await stage.end(of: batch)
            #expect(done.state == .completed)
            #expect(done.counts == BatchCounts(total: 2, failed: 2))
            let errors = try await stage.objects(done.errorFile).compactMap { $0["error"] as? [String: String] }
            #expect(errors.map { $0["code"] } == ["path_not_served", "path_not_served"])
            #expect(errors.allSatisfy { $0["message"]?.contains(FeederStage.endpoint) == true })
            #expect(stage.port.placed.all.isEmpty)
        }
    }

    @Test("a path that was taken from the pool while a line waited for memory fails that line")
    func pathDuringWait() async throws {
        var settings = FeederSettings()
        settings.heldBytes = 1
        let port = FakePort { $0.customID == "line-0" ? .hold : .answer(status: 200, body: "{}") }
        let stage = try FeederStage(port: port, settings: settings)
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 2)
            await stage.port.placed.wait { $0.count == 1 }
            stage.change(FeederStage.directory(["m"], paths: []))
            stage.port.finish(stage.port.placed.all[0].work)
            let done = try await stage.end(of: batch)
            #expect(done.counts == BatchCounts(total: 2, completed: 1, failed: 1))
        }
    }

    @Test("a priority is refused where the pool refuses it, at validation and at dispatch")
    func priorityRefused() async throws {
        let stage = try FeederStage(slots: 0)
        try await stage.run { stage in
            let lines = [FeederStage.line("a", more: "\"priority\":-3,"), FeederStage.line("b")]
            let accepted = try await stage.createBatch(lines.joined(separator: "\n"))
            await stage.waitUntilRunning(1)
            stage.change(FeederStage.directory(["m"], priority: .refuse))
            let refused = try await stage.end(of: try await stage.createBatch(lines.joined(separator: "\n")))
            #expect(refused.state == .failed)
            #expect(refused.faults.map(\.code) == ["priority_not_allowed"])
            #expect(refused.faults.map(\.parameter) == ["body.priority"])
            #expect(refused.faults.map(\.line) == [1])
            stage.scheduler.free()
            let done = try await stage.end(of: accepted)
            #expect(done.counts == BatchCounts(total: 2, completed: 1, failed: 1))
            let error = try await stage.objects(done.errorFile).first?["error"] as? [String: String]
            #expect(error?["code"] == "priority_not_allowed")
            #expect(stage.port.placed.all.map(\.customID) == ["b"])
        }
    }

    @Test("a priority is overwritten or passed on as the pool says; other bytes stay")
    func priorityOverwritten() async throws {
        for (rule, expected) in [(ClientPriority.pass, "-3"), (.overwrite(7), "7")] {
            let stage = try FeederStage()
            stage.change(FeederStage.directory(["m"], priority: rule))
            try await stage.run { stage in
                let lines = [FeederStage.line("a", more: "\"priority\": -3 ,"), FeederStage.line("b")]
                let done = try await stage.end(of: try await stage.createBatch(lines.joined(separator: "\n")))
                #expect(done.counts == BatchCounts(total: 2, completed: 2))
                let bodies = stage.port.placed.all.map { String(buffer: $0.attempt.body) }
                #expect(
                    bodies == [
                        "{\"model\":\"m\",\"priority\": \(expected) ,\"n\": 1,\"big\":9007199254740993,\"user\":\"a\"}",
                        "{\"model\":\"m\",\"n\": 1,\"big\":9007199254740993,\"user\":\"b\"}",
                    ])
            }
        }
    }

    @Test("a line that asks for the background is refused")
    func background() async throws {
        let stage = try FeederStage()
        try await stage.run { stage in
            let text = FeederStage.line("a") + "\n" + FeederStage.line("b", more: "\"background\":true,")
            let done = try await stage.end(of: try await stage.createBatch(text))
            #expect(done.faults.map(\.code) == ["background_not_supported"])
            #expect(done.faults.map(\.line) == [2])
        }
    }
}
