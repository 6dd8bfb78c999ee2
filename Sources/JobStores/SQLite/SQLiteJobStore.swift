import GRDB
import JobLifecycle
import Synchronization

/// A durable store in one folder of one machine: SQLite for rows, plain files for bytes.
///
/// Writes go through one writer with group commit, reads through a pool, file bytes over queues of their own. The
/// folder belongs to one process at a time.
package final class SQLiteJobStore: JobStore {
    let settings: StoreSettings
    let folder: StoreFolder
    let connection: StoreConnection
    let writer: GroupCommitWriter
    let held = HeldJobs()
    /// Claims, one at a time.
    let claims = BlockingQueue("neap.store.claims")
    /// Reads of bodies and stored files.
    let bytes = BlockingQueue("neap.store.bytes")
    /// Writing of output files, and housekeeping.
    let slow = BlockingQueue("neap.store.slow")
    private let lock: Mutex<DiskFile?>
    let listener = Mutex<(@Sendable (StoreChange) -> Void)?>(nil)

    /// Opens the store of a folder, which is made if it is not there.
    ///
    /// Throws only `locked`. A disk that cannot be used makes a store that is `unavailable` and mends itself, because
    /// real-time traffic does not need it.
    package static func open(path: String, settings: StoreSettings = StoreSettings()) throws(StoreFailure)
        -> SQLiteJobStore
    {
        let folder = StoreFolder(path: path)
        var lock: DiskFile?
        var obstacle: StoreFailure?
        do throws(StoreFailure) {
            try folder.create()
            lock = try DiskFile.lock(folder.lock)
            if lock == nil {
                throw StoreFailure(
                    code: .locked,
                    message: "Data folder '\(path)' is in use by another process. Stop it, or choose another folder.")
            }
        } catch  where error.code == .locked {
            throw error
        } catch {
            obstacle = error
        }
        let store = SQLiteJobStore(folder: folder, lock: lock, settings: settings)
        if let obstacle {
            store.connection.note(obstacle)
        } else {
            store.connection.openIfAbsent()
            store.removeStrays()
        }
        return store
    }

    private init(folder: StoreFolder, lock: DiskFile?, settings: StoreSettings) {
        self.folder = folder
        self.settings = settings
        self.lock = Mutex(lock)
        connection = StoreConnection(folder: folder)
        writer = GroupCommitWriter(connection: connection, settings: settings)
        connection.onHealth { [weak self] health in self?.tell(.health(health)) }
    }

    package var health: StoreHealth { connection.health }

    package func onChange(_ listener: @escaping @Sendable (StoreChange) -> Void) {
        self.listener.withLock { $0 = listener }
    }

    func tell(_ change: StoreChange) { listener.withLock { $0 }?(change) }

    package func probe() async -> StoreHealth {
        try? await slow.run { [self] () throws(StoreFailure) in
            if lock.withLock({ $0 == nil }) { try takeLock() }
            connection.openIfAbsent()
        }
        if health == .ok { return .ok }
        _ = try? await writer.run { db in
            try db.execute(sql: "UPDATE life SET value = value + 1 WHERE key = 'probe'")
        }
        return health
    }

    private func takeLock() throws(StoreFailure) {
        do throws(StoreFailure) {
            try folder.create()
            guard let taken = try DiskFile.lock(folder.lock) else {
                throw StoreFailure(code: .unavailable, message: "The data folder is in use by another process.")
            }
            lock.withLock { $0 = taken }
        } catch {
            connection.note(error)
            throw error
        }
    }

    package func close() async {
        await writer.flush()
        try? await slow.run { [self] () throws(StoreFailure) in connection.close() }
        lock.withLock { $0 = nil }
    }

    /// A read of a consistent state, on one of the pool's threads.
    func read<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(StoreFailure) -> Value {
        let pool = try connection.pool()
        do {
            return try await pool.read(body)
        } catch {
            let failure = StoreConnection.failure(error)
            connection.note(failure)
            throw failure
        }
    }

    /// Removes bytes that no row knows: uploads and publications that a crash cut. Only before the store is used, and
    /// only under names that a store gives: the folders may hold files of somebody else.
    private func removeStrays() {
        guard let pool = try? connection.pool() else { return }
        for name in folder.names(in: folder.incoming)
        where name.hasSuffix(".part") && RandomName.isOne(name.dropLast(5), "file-") {
            DiskFile.remove(folder.incoming + "/" + name)
        }
        for name in folder.names(in: folder.files) where RandomName.isOne(name, "file-") {
            let isKnown = try? pool.read { db in
                try Bool.fetchOne(
                    db,
                    sql: """
                        SELECT EXISTS (SELECT 1 FROM file WHERE id = ?1)
                        """, arguments: [name])
            }
            if isKnown == false { DiskFile.remove(folder.files + "/" + name) }
        }
    }
}

extension SQLiteJobStore {
    /// The most bytes the database may have, as a full disk would have it; it never makes it smaller.
    package func limitDatabase(bytes: Int) async throws(StoreFailure) {
        let pool = try connection.pool()
        do {
            try await pool.writeWithoutTransaction { db in
                let pageBytes = try Int.fetchOne(db, sql: "PRAGMA page_size") ?? 4096
                try db.execute(sql: "PRAGMA max_page_count = \(max(1, bytes / pageBytes))")
            }
        } catch {
            throw StoreConnection.failure(error)
        }
    }
}
