import Foundation
import JobLifecycle
import JobStores
import Testing

@Suite("A SQLite store in trouble", .timeLimit(.minutes(2)))
struct SQLiteTroubleTests {
    @Test("a folder belongs to one store at a time")
    func lock() async throws {
        let fixture = SQLiteFixture()
        let store = try await fixture.open()
        do {
            _ = try await fixture.open()
            Issue.record("opened twice")
        } catch let failure as StoreFailure {
            #expect(failure.code == .locked)
            #expect(failure.message.contains(fixture.path))
        }
        await store.close()
        await (try await fixture.open()).close()
    }

    @Test("a corrupt database makes an unavailable store that says so, and not an error of the start")
    func corrupt() async throws {
        let fixture = SQLiteFixture()
        await (try await fixture.open()).close()
        try Data(repeating: 0x5a, count: 100_000).write(to: URL(fileURLWithPath: fixture.path + "/neap.db"))
        let store = try await fixture.open()
        guard case .unavailable(let reason) = store.health else {
            Issue.record("healthy")
            return
        }
        #expect(reason.contains("corrupt"))
        #expect(await Steps.code { _ = try await store.batches(BatchQuery(tenant: "")) } == .unavailable)
        #expect(await Steps.code { _ = try await Steps.upload(store) } == .unavailable)
        #expect(await store.probe() != .ok)
        await store.close()
    }

    @Test("a store mends itself when the disk does, and tells its listener")
    func mends() async throws {
        let fixture = SQLiteFixture()
        try FileManager.default.createDirectory(atPath: fixture.path, withIntermediateDirectories: true)
        // A folder where the database should be: nothing can be opened until it is gone.
        try FileManager.default.createDirectory(
            atPath: fixture.path + "/neap.db", withIntermediateDirectories: true)
        let store = try await fixture.open()
        let heard = Heard()
        store.onChange { heard.add($0) }
        #expect(store.health != .ok)
        #expect(await store.probe() != .ok)
        try FileManager.default.removeItem(atPath: fixture.path + "/neap.db")
        #expect(await store.probe() == .ok)
        #expect(heard.all == [.health(.ok)])
        let batch = try await Steps.create(store)
        #expect(try await store.batch(batch.id, tenant: "").id == batch.id)
        await store.close()
    }

    @Test("a full disk refuses with its reason, keeps what was durable, and mends")
    func full() async throws {
        let fixture = SQLiteFixture()
        let store = try SQLiteJobStore.open(path: fixture.path)
        _ = try await store.recover(now: Time.start)
        let batch = try await Steps.admitted(store, lines: 20)
        let jobs = try await Steps.claim(store, 20)
        try await store.limitDatabase(bytes: 200_000)
        let big = String(repeating: "x", count: 100_000)
        let first = try await store.apply([Steps.success(jobs[0], text: "\"small\"")], now: Time.at(1))
        #expect(first == [.applied])
        let changes = jobs[1...].map { Steps.success($0, text: "\"\(big)\"") }
        do {
            _ = try await store.apply(changes, now: Time.at(1))
            Issue.record("a full disk took everything")
        } catch {
            #expect(error.code == .unavailable)
            #expect(error.message.contains("full"))
            #expect(error.retry != .never)
        }
        #expect(store.health != .ok)
        #expect(try await store.batch(batch.id, tenant: "").counts == BatchCounts(total: 20, completed: 1))
        try await store.limitDatabase(bytes: 1 << 40)
        #expect(await store.probe() == .ok)
        // The same changes again: the jobs are still held, and end exactly once.
        #expect(try await store.apply(changes, now: Time.at(2)).last == .drained(batch.id))
        #expect(try await store.publish(batch.id, now: Time.at(3)).counts == BatchCounts(total: 20, completed: 20))
        await store.close()
    }

    @Test("a publishing that fails leaves no half files behind, and is repeated")
    func failedPublishing() async throws {
        let fixture = SQLiteFixture()
        let store = try await fixture.open()
        _ = try await store.recover(now: Time.start)
        let batch = try await Steps.admitted(store, lines: 2)
        let jobs = try await Steps.claim(store, 2)
        _ = try await store.apply([Steps.success(jobs[0]), Steps.failure(jobs[1])], now: Time.at(1))
        // The same batch in a copy tells the name that the output will have.
        let copy = try fixture.copyAsCrashed()
        let other = try await copy.open()
        let name = try #require(try await other.publish(batch.id, now: Time.at(2)).outputFile).text
        await other.close()
        let obstacle = fixture.path + "/files/" + name
        try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: true)
        #expect(await Steps.code { _ = try await store.publish(batch.id, now: Time.at(2)) } == .unavailable)
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.path + "/incoming").isEmpty)
        try FileManager.default.removeItem(atPath: obstacle)
        #expect(await store.probe() == .ok)
        let done = try await store.publish(batch.id, now: Time.at(3))
        #expect(done.counts == BatchCounts(total: 2, completed: 1, failed: 1))
        await store.close()
    }

    @Test("operations at the same time share commits and keep their own outcome")
    func groupCommit() async throws {
        let fixture = SQLiteFixture()
        let store = try await fixture.open()
        let file = try await Steps.upload(store)
        let draft = BatchDraft(tenant: "", endpoint: Steps.endpoint, inputFile: file.id)
        var bad = draft
        bad.inputFile = FileID("file-none")
        let refused = bad
        let outcomes = await withTaskGroup(of: StoreFailure.Code?.self) { group in
            for index in 0..<400 {
                group.addTask {
                    await Steps.code {
                        _ = try await store.createBatch(index % 4 == 0 ? refused : draft, now: Time.start)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(outcomes.filter { $0 == nil }.count == 300)
        #expect(outcomes.filter { $0 == .notFound }.count == 100)
        #expect(try await store.overview().omitted == 200)
        await store.close()
    }

    @Test("more waiting operations than the limit are refused, not kept")
    func waitingLimit() async throws {
        var settings = StoreSettings()
        settings.waitingOperations = 1
        let fixture = SQLiteFixture()
        let store = try await fixture.open(settings)
        let file = try await Steps.upload(store)
        let draft = BatchDraft(tenant: "", endpoint: Steps.endpoint, inputFile: file.id)
        let codes = await withTaskGroup(of: StoreFailure.Code?.self) { group in
            for _ in 0..<200 {
                group.addTask { await Steps.code { _ = try await store.createBatch(draft, now: Time.start) } }
            }
            return await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(codes.isSubset(of: [nil, .limitReached]))
        #expect(codes.contains(nil))
        await store.close()
    }
}
