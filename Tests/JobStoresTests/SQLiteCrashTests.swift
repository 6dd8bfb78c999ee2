import Foundation
import JobLifecycle
import JobStores
import Testing

/// A store whose process dies at any moment: the folder is copied as a kill would leave it, and another life opens it.
@Suite("A SQLite store after a crash", .timeLimit(.minutes(2)))
struct SQLiteCrashTests {
    /// A seeded generator, so that a failure can be run again.
    struct Chance: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    @Test("loses no line and repeats none, wherever it died", arguments: 1...12 as ClosedRange<UInt64>)
    func randomCrashes(seed: UInt64) async throws {
        var chance = Chance(state: seed)
        var fixture = SQLiteFixture()
        var store = try await fixture.open()
        _ = try await store.recover(now: Time.start)
        let batch = try await Steps.create(store)
        var known: Set<String> = []
        var lives = 1
        var held: [Job] = []
        while true {
            if Int.random(in: 0..<8, using: &chance) == 0 && lives < 12 {
                // The old life goes on in its own folder; what it does there no longer counts.
                let next = try fixture.copyAsCrashed()
                await store.close()
                fixture = next
                store = try await fixture.open()
                let recovery = try await store.recover(now: Time.start)
                lives += 1
                #expect(recovery.epoch == Int64(lives))
                held = []
            }
            let now = try await store.batch(batch.id, tenant: "")
            if now.state.isFinal { break }
            try await step(store, now, &held, &known, &chance)
        }
        let done = try await store.batch(batch.id, tenant: "")
        #expect(done.state == .completed)
        let output = try await Steps.customIDs(store, done.outputFile)
        let errors = try await Steps.customIDs(store, done.errorFile)
        #expect(output.count + errors.count == 40)
        #expect(Set(output + errors) == Set((0..<40).map { "line-\($0)" }))
        #expect(done.counts == BatchCounts(total: 40, completed: output.count, failed: errors.count))
        // Everything that was called durable is in the files.
        #expect(known.isSubset(of: Set(output + errors)))
        await store.close()
    }

    /// One random operation that fits the batch's state.
    private func step(
        _ store: any JobStore, _ batch: Batch, _ held: inout [Job], _ known: inout Set<String>, _ chance: inout Chance
    ) async throws {
        switch batch.state {
        case .validating:
            let lines = try #require(try await store.validationProgress(batch.id)).lines
            if lines < 40 {
                var next = Steps.lines(lines..<min(40, lines + 7))
                for index in next.indices { next[index].sendsOnce = next[index].index % 3 == 0 }
                try await store.insertLines(next, batch: batch.id)
            } else {
                _ = try await store.admit(batch.id, now: Time.start)
            }
        case .inProgress:
            if held.isEmpty {
                _ = try await store.wakeDelayed(now: Time.at(1_000_000))
                held = try await Steps.claim(store, Int.random(in: 1...9, using: &chance))
                return
            }
            let job = held.removeFirst()
            let end = chance.next() & 1 == 0 ? Steps.success(job) : Steps.failure(job)
            switch Int.random(in: 0..<5, using: &chance) {
            case 0: _ = try await store.apply([Steps.change(job, .released)], now: Time.start)
            case 1:
                let until = JobChange.Step.postponed(until: Time.at(5), countsAsAttempt: true)
                _ = try await store.apply([Steps.change(job, .granted), Steps.change(job, until)], now: Time.start)
            case 2:
                held.append(job)
                _ = try await store.apply([Steps.change(job, .granted)], now: Time.start)
            default:
                let results = try await store.apply([end], now: Time.start)
                #expect(results != [.refused])
                #expect(known.insert(job.customID).inserted, "\(job.customID) ended twice")
            }
        default:
            _ = try await store.publish(batch.id, now: Time.start)
        }
    }

    @Test("a crash between the naming of the files and the commit publishes the same files again")
    func crashWhilePublishing() async throws {
        let fixture = SQLiteFixture()
        let store = try await fixture.open()
        _ = try await store.recover(now: Time.start)
        let batch = try await Steps.admitted(store, lines: 3)
        let jobs = try await Steps.claim(store, 3)
        _ = try await store.apply(jobs.map { Steps.success($0) }, now: Time.at(1))
        let crashed = try fixture.copyAsCrashed()
        let done = try await store.publish(batch.id, now: Time.at(2))
        let output = try #require(done.outputFile)
        let content = try await Steps.content(store, output)
        await store.close()
        // The database of before, with the files of after and the rests of a second try.
        try FileManager.default.removeItem(atPath: crashed.path + "/files")
        try FileManager.default.copyItem(atPath: fixture.path + "/files", toPath: crashed.path + "/files")
        try Data("torn".utf8).write(to: URL(fileURLWithPath: crashed.path + "/incoming/\(output.text).part"))
        let next = try await crashed.open()
        #expect(try await next.recover(now: Time.at(3)).ending == [batch.id])
        let again = try await next.publish(batch.id, now: Time.at(4))
        #expect(again.outputFile == output)
        #expect(try await Steps.content(next, output) == content)
        #expect(try FileManager.default.contentsOfDirectory(atPath: crashed.path + "/incoming").isEmpty)
        await next.close()
    }

    @Test("cancelling while the files are written ends the batch one way, with every line once", arguments: 1...6)
    func cancelWhilePublishing(round: Int) async throws {
        let fixture = SQLiteFixture()
        let store = try await fixture.open()
        _ = try await store.recover(now: Time.start)
        let batch = try await Steps.admitted(store, lines: 50)
        let jobs = try await Steps.claim(store, 50)
        _ = try await store.apply(jobs.map { Steps.success($0) }, now: Time.at(1))
        async let publishing = Steps.code { _ = try await store.publish(batch.id, now: Time.at(2)) }
        async let cancelling = Steps.code { _ = try await store.cancelBatch(batch.id, tenant: "", now: Time.at(2)) }
        let (published, cancelled) = await (publishing, cancelling)
        #expect(published == nil)
        let done = try await store.batch(batch.id, tenant: "")
        #expect(done.state == (cancelled == nil ? .cancelled : .completed))
        #expect(done.counts == BatchCounts(total: 50, completed: 50))
        #expect(try await Steps.customIDs(store, done.outputFile).count == 50)
        #expect(await Steps.code { _ = try await store.publish(batch.id, now: Time.at(3)) } == .conflict)
        await store.close()
    }

    @Test("bytes that no row knows are removed at the start")
    func strays() async throws {
        let fixture = SQLiteFixture()
        let store = try await fixture.open()
        let file = try await Steps.upload(store, "kept")
        let cut = try await store.beginFile(FileDraft(tenant: "", filename: "cut", purpose: .batch))
        try await cut.write(Array("half".utf8))
        let crashed = try fixture.copyAsCrashed()
        let unknown = "file-0123456789abcdef0123456789abcdef"
        for name in ["files/\(unknown)", "files/report.pdf", "files/file-notes", "incoming/notes.part"] {
            try Data("x".utf8).write(to: URL(fileURLWithPath: crashed.path + "/" + name))
        }
        let next = try await crashed.open()
        func names(_ folder: String) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: crashed.path + "/" + folder).sorted()
        }
        #expect(try names("files") == [file.id.text, "file-notes", "report.pdf"].sorted())
        #expect(try names("incoming") == ["notes.part"])
        #expect(try await Steps.content(next, file.id) == Array("kept".utf8))
        await cut.abandon()
        await store.close()
        await next.close()
    }
}
