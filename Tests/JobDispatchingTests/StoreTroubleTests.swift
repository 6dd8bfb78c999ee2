import JobLifecycle
import JobStores
import Scheduling
import Synchronization
import Testing

@testable import JobDispatching

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

    /// Else async work stands still beside a well store, or goes on beside one that keeps nothing.
    @Test("of two tasks that look at the store the later one has the last word")
    func pauseInOrder() async throws {
        let stage = try FeederStage()
        let (feeder, store) = (stage.feeder, stage.faulty)
        feeder.life.withLock { $0.isRecovered = true }
        let trouble = StoreHealth.unavailable(reason: "disk full")
        store.say(trouble)
        feeder.tellPause()
        #expect(stage.scheduler.isPaused)
        store.say(.ok)
        store.afterNextLook {
            // Another task, if one can get in between look and word.
            guard feeder.life.withLockIfAvailable({ _ in true }) == true else { return }
            store.say(trouble)
            feeder.tellPause()
        }
        feeder.tellPause()
        #expect(stage.scheduler.isPaused == (store.health != .ok))
        await stage.store.close()
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
