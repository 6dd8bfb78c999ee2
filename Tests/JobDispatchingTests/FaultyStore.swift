import JobLifecycle
import JobStores
import Synchronization

/// A store whose named operations fail as often as a test says, as they would on a disk that hiccups; the store behind
/// it knows nothing of it, and its health stays as it is unless a test says what it is.
final class FaultyStore: JobStore {
    enum Operation: Sendable {
        case claim
        case pending
    }

    let inner: SQLiteJobStore
    private let said = Mutex<StoreHealth?>(nil)
    private let afterLook = Mutex<(@Sendable () -> Void)?>(nil)
    private let left = Mutex<[Operation: Int]>([:])
    let failed = EventLog<Operation>()

    init(_ inner: SQLiteJobStore) { self.inner = inner }

    /// Has the next `times` calls of the operation fail.
    func fail(_ operation: Operation, times: Int = 1) { left.withLock { $0[operation] = times } }

    func say(_ health: StoreHealth) { said.withLock { $0 = health } }

    /// Runs once, when the health was looked at and before who looked goes on.
    func afterNextLook(_ body: @escaping @Sendable () -> Void) { afterLook.withLock { $0 = body } }

    private func check(_ operation: Operation) throws(StoreFailure) {
        let mustFail = left.withLock { left in
            guard let times = left[operation], times > 0 else { return false }
            left[operation] = times - 1
            return true
        }
        guard mustFail else { return }
        failed.add(operation)
        throw StoreFailure(code: .unavailable, message: "The disk hiccups.", retry: .after(.seconds(1)))
    }

    func claim(_ request: ClaimRequest) async throws(StoreFailure) -> Claim {
        try check(.claim)
        return try await inner.claim(request)
    }

    func pending(models: [String]) async throws(StoreFailure) -> [String: Int] {
        try check(.pending)
        return try await inner.pending(models: models)
    }
}

extension FaultyStore {
    func beginFile(_ draft: FileDraft) async throws(StoreFailure) -> any FileUploading {
        try await inner.beginFile(draft)
    }
    func file(_ id: FileID, tenant: String, now: WallTime) async throws(StoreFailure) -> StoredFile {
        try await inner.file(id, tenant: tenant, now: now)
    }
    func openFile(_ id: FileID, tenant: String, now: WallTime) async throws(StoreFailure) -> any FileReading {
        try await inner.openFile(id, tenant: tenant, now: now)
    }
    func files(_ query: FileQuery, now: WallTime) async throws(StoreFailure) -> Page<StoredFile> {
        try await inner.files(query, now: now)
    }
    func deleteFile(_ id: FileID, tenant: String, now: WallTime) async throws(StoreFailure) {
        try await inner.deleteFile(id, tenant: tenant, now: now)
    }
    func createBatch(_ draft: BatchDraft, now: WallTime) async throws(StoreFailure) -> Batch {
        try await inner.createBatch(draft, now: now)
    }
    func batch(_ id: BatchID, tenant: String) async throws(StoreFailure) -> Batch {
        try await inner.batch(id, tenant: tenant)
    }
    func batches(_ query: BatchQuery) async throws(StoreFailure) -> Page<Batch> { try await inner.batches(query) }
    func cancelBatch(_ id: BatchID, tenant: String, now: WallTime) async throws(StoreFailure) -> Batch {
        try await inner.cancelBatch(id, tenant: tenant, now: now)
    }
    var health: StoreHealth {
        let found = said.withLock { $0 } ?? inner.health
        afterLook.withLock { $0.take() }?()
        return found
    }
    func onChange(_ listener: @escaping @Sendable (StoreChange) -> Void) { inner.onChange(listener) }
    func recover(now: WallTime) async throws(StoreFailure) -> Recovery { try await inner.recover(now: now) }
    func openInput(_ file: FileID) async throws(StoreFailure) -> any FileReading { try await inner.openInput(file) }
    func validationProgress(_ batch: BatchID) async throws(StoreFailure) -> ValidationProgress? {
        try await inner.validationProgress(batch)
    }
    func insertLines(_ lines: [JobLine], batch: BatchID) async throws(StoreFailure) {
        try await inner.insertLines(lines, batch: batch)
    }
    func admit(_ batch: BatchID, now: WallTime) async throws(StoreFailure) -> Batch {
        try await inner.admit(batch, now: now)
    }
    func reject(_ batch: BatchID, faults: [BatchFault], now: WallTime) async throws(StoreFailure) -> Batch {
        try await inner.reject(batch, faults: faults, now: now)
    }
    func readBody(_ body: BodyLocation) async throws(StoreFailure) -> [UInt8] { try await inner.readBody(body) }
    func apply(_ changes: [JobChange], now: WallTime) async throws(StoreFailure) -> [ChangeResult] {
        try await inner.apply(changes, now: now)
    }
    func wakeDelayed(now: WallTime) async throws(StoreFailure) -> Wakeup { try await inner.wakeDelayed(now: now) }
    func rememberModels(_ names: [String], now: WallTime) async throws(StoreFailure) {
        try await inner.rememberModels(names, now: now)
    }
    func knownModels() async throws(StoreFailure) -> [String] { try await inner.knownModels() }
    func closeWindows(now: WallTime) async throws(StoreFailure) -> [Batch] { try await inner.closeWindows(now: now) }
    func publish(_ batch: BatchID, now: WallTime) async throws(StoreFailure) -> Batch {
        try await inner.publish(batch, now: now)
    }
    func sweep(now: WallTime) async throws(StoreFailure) -> Bool { try await inner.sweep(now: now) }
    func nextDue() async throws(StoreFailure) -> WallTime? { try await inner.nextDue() }
    func overview() async throws(StoreFailure) -> StoreOverview { try await inner.overview() }
    func probe() async -> StoreHealth { await inner.probe() }
    func close() async { await inner.close() }
}
