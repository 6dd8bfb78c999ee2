import JobLifecycle
import JobStores
import Synchronization

/// Files and batches of the doors, in memory. What only the dispatcher needs fails with `closed`.
final class MemoryStore: JobStore {
    struct State: Sendable {
        var files: [StoredFile] = []
        var contents: [FileID: [UInt8]] = [:]
        var batches: [Batch] = []
        var serial = 0
        var openUploads = 0
        /// Writes handed to uploads, by size.
        var writes: [Int] = []
        var fault: String?
        var overview = StoreOverview(batches: [], omitted: 0, bytesOnDisk: 0)
    }

    let state = Mutex(State())

    /// From now on every operation fails as on a full disk; nil mends it.
    func fail(_ reason: String?) { state.withLock { $0.fault = reason } }

    func use<Value: Sendable>(_ body: (inout State) -> sending Result<Value, StoreFailure>) throws(StoreFailure)
        -> Value
    {
        let result: Result<Value, StoreFailure> = state.withLock { state in
            if let fault = state.fault {
                return .failure(StoreFailure(code: .unavailable, message: fault, retry: .after(.seconds(30))))
            }
            return body(&state)
        }
        return try result.get()
    }

    static func missing(_ what: String) -> StoreFailure { StoreFailure(code: .notFound, message: "No such \(what).") }

    func beginFile(_ draft: FileDraft) async throws(StoreFailure) -> any FileUploading {
        try use { state in
            state.serial += 1
            state.openUploads += 1
            return .success(MemoryUpload(store: self, id: FileID("file-\(state.serial)"), draft: draft))
        }
    }

    func file(_ id: FileID, tenant: String, now: WallTime) async throws(StoreFailure) -> StoredFile {
        try use { state in
            state.files.first { $0.id == id && $0.tenant == tenant && Self.lives($0, now) }.map { .success($0) }
                ?? .failure(Self.missing("file"))
        }
    }

    static func lives(_ file: StoredFile, _ now: WallTime) -> Bool { file.expires.map { $0 > now } ?? true }

    func openFile(_ id: FileID, tenant: String, now: WallTime) async throws(StoreFailure) -> any FileReading {
        let file = try await file(id, tenant: tenant, now: now)
        return MemoryReader(file: file, bytes: state.withLock { $0.contents[id] ?? [] })
    }

    func files(_ query: FileQuery, now: WallTime) async throws(StoreFailure) -> Page<StoredFile> {
        try use { state in
            let mine = state.files.filter {
                $0.tenant == query.tenant && (query.purpose == nil || $0.purpose == query.purpose)
                    && Self.lives($0, now)
            }
            let ordered = query.order == .oldestFirst ? mine : mine.reversed()
            return Self.page(ordered, limit: query.limit, after: query.after) { $0.id }
        }
    }

    func deleteFile(_ id: FileID, tenant: String, now: WallTime) async throws(StoreFailure) {
        try use { state -> Result<Void, StoreFailure> in
            guard let index = state.files.firstIndex(where: { $0.id == id && $0.tenant == tenant }) else {
                return .failure(Self.missing("file"))
            }
            state.files.remove(at: index)
            return .success(())
        }
    }

    func createBatch(_ draft: BatchDraft, now: WallTime) async throws(StoreFailure) -> Batch {
        try use { state in
            guard state.files.contains(where: { $0.id == draft.inputFile && $0.tenant == draft.tenant }) else {
                return .failure(Self.missing("file"))
            }
            state.serial += 1
            var batch = Batch(
                id: BatchID("batch_\(state.serial)"), serial: Int64(state.serial), tenant: draft.tenant,
                endpoint: draft.endpoint, inputFile: draft.inputFile, completionWindow: draft.completionWindow,
                times: BatchTimes(created: now, expires: now + draft.window))
            batch.metadata = draft.metadata
            batch.outputLifetime = draft.outputLifetime
            state.batches.append(batch)
            return .success(batch)
        }
    }

    func batch(_ id: BatchID, tenant: String) async throws(StoreFailure) -> Batch {
        try use { state in
            state.batches.first { $0.id == id && $0.tenant == tenant }.map { .success($0) }
                ?? .failure(Self.missing("batch"))
        }
    }

    func batches(_ query: BatchQuery) async throws(StoreFailure) -> Page<Batch> {
        try use { state in
            let mine = state.batches.filter { $0.tenant == query.tenant }
            return Self.page(mine.reversed(), limit: query.limit, after: query.after) { $0.id }
        }
    }

    func cancelBatch(_ id: BatchID, tenant: String, now: WallTime) async throws(StoreFailure) -> Batch {
        try use { state in
            guard let index = state.batches.firstIndex(where: { $0.id == id && $0.tenant == tenant }) else {
                return .failure(Self.missing("batch"))
            }
            do throws(IllegalBatchEvent) {
                try state.batches[index].apply(.cancelRequested, at: now)
                return .success(state.batches[index])
            } catch {
                return .failure(StoreFailure(code: .conflict, message: "The batch is \(error.state.rawValue)."))
            }
        }
    }

    var health: StoreHealth {
        state.withLock { $0.fault }.map { .unavailable(reason: $0) } ?? .ok
    }

    func overview() async throws(StoreFailure) -> StoreOverview { try use { .success($0.overview) } }

    private static func page<Item: Sendable, ID: Equatable>(
        _ items: [Item], limit: Int, after: ID?, id: (Item) -> ID
    ) -> Result<Page<Item>, StoreFailure> {
        var rest = items[...]
        if let after {
            guard let index = rest.firstIndex(where: { id($0) == after }) else { return .failure(missing("item")) }
            rest = rest[(index + 1)...]
        }
        return .success(Page(items: Array(rest.prefix(limit)), hasMore: rest.count > limit))
    }
}

/// An upload into a `MemoryStore`.
private final class MemoryUpload: FileUploading {
    private struct State: Sendable {
        var bytes: [UInt8] = []
        var filename: String
        var lifetime: Duration?
        var isOver = false
    }

    private let store: MemoryStore
    private let id: FileID
    private let draft: FileDraft
    private let state: Mutex<State>

    init(store: MemoryStore, id: FileID, draft: FileDraft) {
        self.store = store
        self.id = id
        self.draft = draft
        state = Mutex(State(filename: draft.filename, lifetime: draft.lifetime))
    }

    func write(_ piece: [UInt8]) async throws(StoreFailure) {
        try store.use { shared in
            shared.writes.append(piece.count)
            state.withLock { $0.bytes += piece }
            return .success(())
        }
    }

    func rename(_ filename: String) async { state.withLock { $0.filename = filename } }

    func expire(after lifetime: Duration?) async { state.withLock { $0.lifetime = lifetime } }

    func finish(now: WallTime) async throws(StoreFailure) -> StoredFile {
        let mine = state.withLock { state in
            state.isOver = true
            return state
        }
        let file = StoredFile(
            id: id, tenant: draft.tenant, filename: mine.filename, purpose: draft.purpose, bytes: mine.bytes.count,
            created: now, expires: now + (mine.lifetime ?? .seconds(30 * 86_400)))
        return try store.use { shared in
            shared.openUploads -= 1
            shared.files.append(file)
            shared.contents[id] = mine.bytes
            return .success(file)
        }
    }

    func abandon() async {
        let wasOver = state.withLock { state in
            defer { state.isOver = true }
            return state.isOver
        }
        if !wasOver { store.state.withLock { $0.openUploads -= 1 } }
    }
}

private struct MemoryReader: FileReading {
    let file: StoredFile
    let bytes: [UInt8]

    func read(at offset: Int, count: Int) async throws(StoreFailure) -> [UInt8] {
        Array(bytes.dropFirst(offset).prefix(count))
    }
}

extension MemoryStore {
    private static let closed = StoreFailure(code: .closed, message: "Not part of this test.")

    func onChange(_ listener: @escaping @Sendable (StoreChange) -> Void) {}
    func recover(now: WallTime) async throws(StoreFailure) -> Recovery { throw Self.closed }
    func openInput(_ file: FileID) async throws(StoreFailure) -> any FileReading { throw Self.closed }
    func validationProgress(_ batch: BatchID) async throws(StoreFailure) -> ValidationProgress? { throw Self.closed }
    func insertLines(_ lines: [JobLine], batch: BatchID) async throws(StoreFailure) { throw Self.closed }
    func admit(_ batch: BatchID, now: WallTime) async throws(StoreFailure) -> Batch { throw Self.closed }
    func reject(_ batch: BatchID, faults: [BatchFault], now: WallTime) async throws(StoreFailure) -> Batch {
        throw Self.closed
    }
    func readBody(_ body: BodyLocation) async throws(StoreFailure) -> [UInt8] { throw Self.closed }
    func claim(_ request: ClaimRequest) async throws(StoreFailure) -> Claim { throw Self.closed }
    func apply(_ changes: [JobChange], now: WallTime) async throws(StoreFailure) -> [ChangeResult] {
        throw Self.closed
    }
    func wakeDelayed(now: WallTime) async throws(StoreFailure) -> Wakeup { throw Self.closed }
    func pending(models: [String]) async throws(StoreFailure) -> [String: Int] { throw Self.closed }
    func rememberModels(_ names: [String], now: WallTime) async throws(StoreFailure) { throw Self.closed }
    func knownModels() async throws(StoreFailure) -> [String] { throw Self.closed }
    func closeWindows(now: WallTime) async throws(StoreFailure) -> [Batch] { throw Self.closed }
    func publish(_ batch: BatchID, now: WallTime) async throws(StoreFailure) -> Batch { throw Self.closed }
    func sweep(now: WallTime) async throws(StoreFailure) -> Bool { throw Self.closed }
    func nextDue() async throws(StoreFailure) -> WallTime? { throw Self.closed }
    func probe() async -> StoreHealth { health }
    func close() async {}
}
