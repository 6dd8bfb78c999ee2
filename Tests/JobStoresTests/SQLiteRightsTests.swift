import Foundation
import JobLifecycle
import JobStores
import Testing

/// Prompts and answers lie in the data folder in clear text.
@Suite("The rights of a SQLite store's files", .timeLimit(.minutes(2)))
struct SQLiteRightsTests {
    private func rights(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    /// Everything in the folder, by path below it.
    private func allRights(_ fixture: SQLiteFixture) throws -> [String: Int] {
        var found: [String: Int] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: fixture.path) {
            found[name] = try rights(fixture.path + "/" + name)
        }
        return found
    }

    private func expectPrivate(_ fixture: SQLiteFixture) throws {
        let found = try allRights(fixture)
        #expect(found.keys.contains("neap.db-wal"))
        for (name, mode) in found {
            #expect(mode == (name == "files" || name == "incoming" ? 0o700 : 0o600), "\(name)")
        }
    }

    @Test("all that a store makes is its owner's alone")
    func fresh() async throws {
        let fixture = SQLiteFixture()
        let store = try await fixture.open()
        _ = try await Steps.create(store)
        #expect(try rights(fixture.path) == 0o700)
        try expectPrivate(fixture)
        await store.close()
    }

    @Test("what an earlier version left open is closed; a folder that was there keeps its rights")
    func tightened() async throws {
        let fixture = SQLiteFixture()
        let first = try await fixture.open()
        let batch = try await Steps.create(first)
        let crashed = try fixture.copyAsCrashed()
        await first.close()
        let manager = FileManager.default
        for (name, mode) in try allRights(crashed) {
            try manager.setAttributes([.posixPermissions: mode | 0o055], ofItemAtPath: crashed.path + "/" + name)
        }
        try manager.setAttributes([.posixPermissions: 0o755], ofItemAtPath: crashed.path)
        let second = try await crashed.open()
        #expect(try await second.batch(batch.id, tenant: "").id == batch.id)
        #expect(try rights(crashed.path) == 0o755)
        for name in ["neap.db", "neap.db-wal", "neap.db-shm"] {
            #expect(try rights(crashed.path + "/" + name) == 0o600, "\(name)")
        }
        for name in ["files", "incoming"] { #expect(try rights(crashed.path + "/" + name) == 0o700, "\(name)") }
        await second.close()
    }

    @Test("a folder named with a slash at its end, below folders that are not there")
    func path() async throws {
        let fixture = SQLiteFixture()
        let store = try SQLiteJobStore.open(path: fixture.path + "/a/b/")
        #expect(store.health == .ok)
        #expect(try rights(fixture.path + "/a/b") == 0o700)
        await store.close()
    }
}
