import DataPlane
import FleetTracking
import FlowControl
import Foundation
import JobDispatching
import JobLifecycle
import JobStores
import NIOCore
import SchedulerRuntime
import Scheduling
import Testing

@Suite("The job feeder", .timeLimit(.minutes(2)))
struct JobFeederTests {
    static func names(_ range: Range<Int>) -> [String] { range.map { "line-\($0)" } }

    @Test("runs every line of a batch once, in byte-exact form")
    func wholeBatch() async throws {
        let stage = try FeederStage()
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 50)
            let done = try await stage.end(of: batch)
            #expect(done.state == .completed)
            #expect(done.counts == BatchCounts(total: 50, completed: 50))
            #expect(done.usage == BatchUsage(inputTokens: 150, outputTokens: 100))
            #expect(try await stage.customIDs(done.outputFile) == Self.names(0..<50))
            #expect(done.errorFile == nil)
            let first = try #require(stage.port.placed.all.first)
            #expect(
                String(buffer: first.attempt.body)
                    == "{\"model\":\"m\",\"n\": 1,\"big\":9007199254740993,\"user\":\"line-0\"}")
            #expect(first.attempt.path == FeederStage.endpoint)
            #expect(first.attempt.arrival.band == .async)
            let response = try #require(try await stage.objects(done.outputFile).first?["response"] as? [String: Any])
            #expect(response["request_id"] as? String == "engine-\(first.work.rawValue)")
        }
    }

    @Test("answers every claim with exactly one claimed, the last of them 0")
    func handshake() async throws {
        let stage = try FeederStage(slots: 3)
        try await stage.run { stage in
            _ = try await stage.end(of: try await stage.createBatch(lines: 20))
            let claims = stage.scheduler.claims.all.count
            await stage.scheduler.events.wait { JobFeederTests.claimed($0).count >= claims }
            let answers = JobFeederTests.claimed(stage.scheduler.events.all)
            #expect(answers.count == claims)
            #expect(answers.last == 0)
            #expect(stage.scheduler.strayAnswers == 0)
            #expect(stage.port.placed.all.count == 20)
        }
    }

    private static func claimed(_ events: [Event]) -> [Int] {
        events.compactMap { if case .claimed(_, _, let pending) = $0 { pending } else { nil } }
    }

    @Test("a model whose jobs wait for memory holds up no other")
    func memoryIsShared() async throws {
        var settings = FeederSettings()
        settings.heldBytes = 200
        let port = FakePort { $0.customID.hasPrefix("slow") ? .hold : .answer(status: 200, body: "{}") }
        let stage = try FeederStage(port: port, slots: 30, models: ["m", "n"], settings: settings)
        try await stage.run { stage in
            let slow = (0..<20).map { FeederStage.line("slow-\($0)") }.joined(separator: "\n")
            let held = try await stage.createBatch(slow)
            await stage.port.placed.wait { $0.count >= 2 }
            let quick = try await stage.end(of: try await stage.createBatch(lines: 20, model: "n"))
            #expect(quick.counts == BatchCounts(total: 20, completed: 20))
            #expect(stage.port.placed.all.filter { $0.customID.hasPrefix("slow") }.count < 20)
            for number in 0..<20 {
                await stage.port.placed.wait { $0.filter { $0.customID.hasPrefix("slow") }.count > number }
                let works = stage.port.placed.all.filter { $0.customID.hasPrefix("slow") }
                stage.port.finish(works[number].work, body: "{}")
            }
            #expect(try await stage.end(of: held).counts == BatchCounts(total: 20, completed: 20))
        }
    }

    @Test("a shed is retried as often as it takes and is no attempt")
    func sheds() async throws {
        let outcomes: [Outcome] = [
            .enginesFull, .queueTimeout, .noEndpoint, .connectFailed, .queueFull, .enginesFull, .connectFailed,
        ]
        let port = FakePort { placed in
            placed.number <= outcomes.count ? .end(outcomes[placed.number - 1]) : .answer(status: 200, body: "{}")
        }
        let stage = try FeederStage(port: port)
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 2)
            for round in 1...outcomes.count {
                await stage.port.placed.wait { $0.filter { $0.number == round }.count == 2 }
                await stage.waitUntilDelayed(2)
                stage.clock.advance(by: .seconds(61))
            }
            let done = try await stage.end(of: batch)
            #expect(done.counts == BatchCounts(total: 2, completed: 2))
        }
    }

    @Test("a server error is retried up to the cap, then its last answer is the result")
    func attemptCap() async throws {
        let port = FakePort { placed in
            placed.customID == "line-0"
                ? .answer(status: 500, body: "{\"try\":\(placed.number)}") : .end(.engineReset)
        }
        let stage = try FeederStage(port: port)
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 2)
            for round in 1...4 {
                await stage.port.placed.wait { $0.filter { $0.number == round }.count == 2 }
                await stage.waitUntilDelayed(2)
                stage.clock.advance(by: .seconds(61))
            }
            let done = try await stage.end(of: batch)
            #expect(done.state == .completed)
            #expect(done.counts == BatchCounts(total: 2, completed: 0, failed: 2))
            #expect(stage.port.placed.all.count == 10)
            let errors = try await stage.objects(done.errorFile)
            let response = try #require(errors[0]["response"] as? [String: Any])
            #expect(response["status_code"] as? Int == 500)
            #expect((response["body"] as? [String: Int]) == ["try": 5])
            #expect((errors[1]["error"] as? [String: String])?["code"] == "engine_reset")
        }
    }

    @Test("a client error ends its line at once, with the answer")
    func clientError() async throws {
        let stage = try FeederStage(port: FakePort { _ in .answer(status: 404, body: "{\"error\":{}}") })
        try await stage.run { stage in
            let done = try await stage.end(of: try await stage.createBatch(lines: 3))
            #expect(done.counts == BatchCounts(total: 3, failed: 3))
            #expect(stage.port.placed.all.count == 3)
            #expect(done.outputFile == nil)
            let errors = try await stage.objects(done.errorFile)
            #expect(errors.allSatisfy { ($0["response"] as? [String: Any])?["status_code"] as? Int == 404 })
        }
    }

    @Test("answers out of order become an output in order")
    func outOfOrder() async throws {
        let stage = try FeederStage(port: FakePort { _ in .hold }, slots: 20)
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 20)
            await stage.port.placed.wait { $0.count == 20 }
            for placed in stage.port.placed.all.reversed() { stage.port.finish(placed.work) }
            let done = try await stage.end(of: batch)
            #expect(try await stage.customIDs(done.outputFile) == Self.names(0..<20))
        }
    }

    @Test("cancelling withdraws what runs and keeps what was done")
    func cancel() async throws {
        let port = FakePort { $0.customID == "line-0" ? .answer(status: 200, body: "{}") : .hold }
        let stage = try FeederStage(port: port, slots: 4)
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 10)
            await stage.port.placed.wait { $0.count == 5 }
            _ = try await stage.store.cancelBatch(batch.id, tenant: "", now: stage.clock.now)
            let done = try await stage.end(of: batch)
            #expect(done.state == .cancelled)
            #expect(done.counts == BatchCounts(total: 10, completed: 1, failed: 9))
            // The first was answered; while that is not recorded it may be withdrawn too, which changes nothing.
            let first = stage.port.placed.all.first { $0.customID == "line-0" }?.work
            #expect(Set(stage.port.withdrawn.all).filter { $0 != first }.count == 4)
            #expect(try await stage.customIDs(done.outputFile) == ["line-0"])
            let errors = try await stage.objects(done.errorFile)
            #expect(errors.allSatisfy { ($0["error"] as? [String: String])?["code"] == "batch_cancelled" })
        }
    }

    @Test("a closed window withdraws what runs and expires the rest")
    func expiry() async throws {
        let stage = try FeederStage(port: FakePort { _ in .hold }, slots: 2)
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 5, window: .seconds(60))
            await stage.port.placed.wait { $0.count == 2 }
            #expect(stage.port.placed.all[0].attempt.arrival.deadline == Instant(nanoseconds: 60_000_000_000))
            stage.port.finish(stage.port.placed.all[0].work)
            await stage.port.placed.wait { $0.count == 3 }
            stage.clock.advance(by: .seconds(60))
            let done = try await stage.end(of: batch)
            #expect(done.state == .expired)
            #expect(done.counts == BatchCounts(total: 5, completed: 1, failed: 4))
            let errors = try await stage.objects(done.errorFile)
            #expect(errors.allSatisfy { ($0["error"] as? [String: String])?["code"] == "batch_expired" })
        }
    }

    @Test("a drain withdraws what does not end in time, and the next life goes on from there")
    func drain() async throws {
        let first = try FeederStage(port: FakePort { _ in .hold }, slots: 4)
        let batch = try await first.createBatch(lines: 6)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await first.run { stage in
                    await stage.port.placed.wait { $0.count == 4 }
                    stage.port.finish(stage.port.placed.all[1].work)
                    await stage.port.placed.wait { $0.count == 5 }
                }
            }
            await first.scheduler.events.wait { events in
                events.contains { if case .asyncPaused(true) = $0 { true } else { false } }
            }
            // One ends within the drain time, the other three are withdrawn.
            first.port.finish(first.port.placed.all[0].work)
            first.clock.advance(by: .seconds(9))
            #expect(first.port.withdrawn.all.isEmpty)
            first.clock.advance(by: .seconds(1))
            await first.port.withdrawn.wait { $0.count >= 3 }
            try await group.waitForAll()
        }
        let second = try FeederStage(at: first.path)
        try await second.run { stage in
            let done = try await stage.end(of: batch)
            #expect(done.counts == BatchCounts(total: 6, completed: 6))
            #expect(stage.port.placed.all.map(\.customID).sorted() == Self.names(2..<6))
            #expect(try await stage.customIDs(done.outputFile) == Self.names(0..<6))
        }
    }

    @Test("bodies in memory stay under their limit, also those of one claim, and the batch still ends")
    func heldBytes() async throws {
        var settings = FeederSettings()
        settings.heldBytes = 200
        let stage = try FeederStage(port: FakePort { _ in .hold }, slots: 30, settings: settings)
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 30)
            // Three bodies fit; a fourth comes when one of them was answered.
            for number in 0..<30 {
                await stage.port.placed.wait { $0.count >= min(30, number + 3) }
                stage.port.finish(stage.port.placed.all[number].work, body: "")
            }
            #expect(try await stage.end(of: batch).counts == BatchCounts(total: 30, completed: 30))
            #expect(stage.port.mostBytes <= 200)
            #expect(stage.port.mostBytes > 100)
        }
    }

    @Test("a body larger than the limit of bytes is run alone")
    func largeBody() async throws {
        var settings = FeederSettings()
        settings.heldBytes = 10
        let stage = try FeederStage(settings: settings)
        try await stage.run { stage in
            let done = try await stage.end(of: try await stage.createBatch(lines: 5))
            #expect(done.counts == BatchCounts(total: 5, completed: 5))
        }
    }

    @Test("a result tells our own request id where the engine gives none")
    func ownRequestID() async throws {
        let stage = try FeederStage(port: FakePort { _ in .answerWithoutID(status: 200, body: "{}") })
        try await stage.run { stage in
            let done = try await stage.end(of: try await stage.createBatch(lines: 1))
            let response = try #require(try await stage.objects(done.outputFile).first?["response"] as? [String: Any])
            #expect(response["request_id"] as? String == stage.port.placed.all.first?.attempt.requestID)
            #expect(response["request_id"] as? String == "\(done.id.text)-0-1")
        }
    }

    @Test("several batches and tenants' worth of lines end, whatever the order of their answers")
    func manyBatches() async throws {
        let port = FakePort { placed in
            switch placed.number % 3 {
            case 1: .end(.enginesFull)
            case 2: .answer(status: 503, body: "")
            default: .answer(status: 200, body: "{}")
            }
        }
        let stage = try FeederStage(port: port, slots: 7)
        try await stage.run { stage in
            var batches: [Batch] = []
            for index in 0..<5 {
                let text = (0..<20).map { FeederStage.line("b\(index)-\($0)") }.joined(separator: "\r\n")
                batches.append(try await stage.createBatch(text))
            }
            for batch in batches { await stage.advanceUntilEnded(batch) }
            for (index, batch) in batches.enumerated() {
                let done = try await stage.end(of: batch)
                #expect(try await stage.customIDs(done.outputFile) == (0..<20).map { "b\(index)-\($0)" })
            }
        }
    }

    @Test("the overview tells what runs")
    func overview() async throws {
        let stage = try FeederStage(port: FakePort { _ in .hold }, slots: 3)
        try await stage.run { stage in
            let batch = try await stage.createBatch(lines: 5)
            await stage.port.placed.wait { $0.count == 3 }
            let overview = try await stage.feeder.overview()
            #expect(overview.runningTotal == 3)
            #expect(overview.running == [3])
            #expect(overview.store.batches.map(\.batch.id) == [batch.id])
            for placed in stage.port.placed.all { stage.port.finish(placed.work) }
            await stage.port.placed.wait { $0.count == 5 }
            for placed in stage.port.placed.all { stage.port.finish(placed.work) }
            _ = try await stage.end(of: batch)
            #expect(try await stage.feeder.overview().store.batches.isEmpty)
        }
    }
}
