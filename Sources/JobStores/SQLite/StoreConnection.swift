import GRDB
import JobLifecycle
import Synchronization

/// The database behind a store, which may be missing: a disk that is full, read-only or corrupt must not stop the
/// gateway from starting, so opening is tried again by `probe`.
final class StoreConnection: Sendable {
    private enum State {
        case absent(StoreFailure)
        case open(DatabasePool)
        case closed
    }

    private let folder: StoreFolder
    private let state: Mutex<State>
    private let healthState = Mutex(StoreHealth.ok)
    private let listener = Mutex<(@Sendable (StoreHealth) -> Void)?>(nil)

    init(folder: StoreFolder) {
        self.folder = folder
        state = Mutex(.absent(StoreFailure(code: .unavailable, message: "The store is not open yet.")))
    }

    var health: StoreHealth { healthState.withLock { $0 } }

    func onHealth(_ listener: @escaping @Sendable (StoreHealth) -> Void) {
        self.listener.withLock { $0 = listener }
    }

    func pool() throws(StoreFailure) -> DatabasePool {
        switch state.withLock({ $0 }) {
        case .open(let pool): return pool
        case .absent(let failure): throw failure
        case .closed: throw StoreFailure(code: .closed, message: "The store is shut down.")
        }
    }

    /// Opens the database if it is not open. Blocks. Failure is kept as health.
    func openIfAbsent() {
        guard case .absent = state.withLock({ $0 }) else { return }
        do {
            try folder.create()
            try folder.closeDatabase()
            let pool = try StoreConnection.openPool(folder.database)
            state.withLock { $0 = .open(pool) }
            report(.ok)
        } catch {
            let failure = StoreConnection.failure(error)
            state.withLock { $0 = .absent(failure) }
            note(failure)
        }
    }

    func close() {
        let pool: DatabasePool? = state.withLock { state in
            defer { state = .closed }
            if case .open(let pool) = state { return pool }
            return nil
        }
        // The log goes into the database, so that the file alone is whole, and the next start has nothing to replay.
        _ = try? pool?.writeWithoutTransaction { db in try db.checkpoint(.truncate) }
        try? pool?.close()
    }

    /// A failed operation: makes the store unavailable where the failure is the disk's.
    func note(_ failure: StoreFailure) {
        if failure.code == .unavailable { report(.unavailable(reason: failure.message)) }
    }

    /// A commit succeeded: the disk is well.
    func noteCommit() { report(.ok) }

    private func report(_ health: StoreHealth) {
        let changed = healthState.withLock { current in
            defer { current = health }
            return current != health
        }
        if changed { listener.withLock { $0 }?(health) }
    }

    private static func openPool(_ path: String) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.label = "neap.store"
        configuration.maximumReaderCount = 4
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in
            // 8 MiB per connection: the upper levels of every index of a million jobs.
            try db.execute(sql: "PRAGMA cache_size = -8192")
            try db.execute(sql: "PRAGMA temp_store = MEMORY")
        }
        let pool = try DatabasePool(path: path, configuration: configuration)
        let migrator = StoreSchema.migrator
        if try pool.read({ db in try migrator.hasBeenSuperseded(db) }) {
            throw StoreFailure(
                code: .unavailable,
                message: "The store was written by a newer version of neap. Use that version, or another data folder.")
        }
        try migrator.migrate(pool)
        // The library lowers it to NORMAL with the WAL, which may lose the last commits when power fails.
        try pool.writeWithoutTransaction { db in try db.execute(sql: "PRAGMA synchronous = FULL") }
        return pool
    }

    /// What a thrown error means to a caller.
    static func failure(_ error: any Error) -> StoreFailure {
        if let failure = error as? StoreFailure { return failure }
        guard let error = error as? DatabaseError else {
            return StoreFailure(code: .unavailable, message: "The store failed: \(type(of: error)).")
        }
        let retry = StoreFailure.Retry.after(.seconds(5))
        switch error.resultCode.primaryResultCode {
        case .SQLITE_FULL:
            return StoreFailure(code: .unavailable, message: "The store's disk is full.", retry: retry)
        case .SQLITE_READONLY, .SQLITE_PERM:
            return StoreFailure(code: .unavailable, message: "The store's database is read-only.", retry: retry)
        case .SQLITE_CORRUPT, .SQLITE_NOTADB:
            return StoreFailure(
                code: .unavailable,
                message: "The store's database is corrupt. Restore it from a copy, or move it away to start empty.",
                retry: retry)
        case .SQLITE_IOERR, .SQLITE_CANTOPEN:
            return StoreFailure(
                code: .unavailable, message: "The store's disk reports an error or is not writable.", retry: retry)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return StoreFailure(
                code: .unavailable, message: "The store's database is locked by another program.", retry: retry)
        case .SQLITE_CONSTRAINT:
            return StoreFailure(code: .conflict, message: "The store refused a contradicting row.")
        default:
            return StoreFailure(
                code: .unavailable, message: "The store failed with database code \(error.resultCode.rawValue).",
                retry: retry)
        }
    }
}
