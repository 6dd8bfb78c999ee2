import JobDispatching
import JobLifecycle
import JobStores
import Scheduling
import Testing

@Suite("The job feeder beside a store that hiccups", .timeLimit(.minutes(2)))
struct StoreTroubleTests {
    @Test("a failed read does not leave async work idle", arguments: [FaultyStore.Operation.claim, .pending])
    func failedRead(operation: FaultyStore.Operation) async throws {
        let stage = try FeederStage()
        stage.faulty.fail(operation, times: 2)
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 3, window: .seconds(300))
            await stage.advanceUntilEnded(batch)
            #expect(stage.faulty.failed.all == [operation, operation])
            #expect(try await stage.end(of: batch).counts == BatchCounts(total: 3, completed: 3))
        }
    }

    @Test("a full disk pauses async work; with room again every line ends once")
    func fullDisk() async throws {
        let body = "\"" + String(repeating: "x", count: 60_000) + "\""
        let stage = try FeederStage(port: FakePort { _ in .answer(status: 200, body: body) }, slots: 4)
        try await stage.run { stage in
            try await stage.store.limitDatabase(bytes: 400_000)
            let batch = try await stage.createBatch(lines: 20)
            await stage.scheduler.events.wait { events in
                events.contains { if case .asyncPaused(true) = $0 { true } else { false } }
            }
            #expect(stage.ended.all.isEmpty)
            try await stage.store.limitDatabase(bytes: 1 << 40)
            await stage.advanceUntilEnded(batch)
            let done = try await stage.end(of: batch)
            #expect(done.state == .completed)
            #expect(try await stage.customIDs(done.outputFile) == (0..<20).map { "line-\($0)" })
            #expect(stage.port.placed.all.count == 20)
        }
    }
}
