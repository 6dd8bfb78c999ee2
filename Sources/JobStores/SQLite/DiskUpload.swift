import JobLifecycle
import Synchronization

/// A file on its way in: bytes go to `incoming/`, and become a stored file in `finish`.
final class DiskUpload: FileUploading {
    private struct State: Sendable {
        var filename: String
        var lifetime: Duration?
        var bytes = 0
        var isOver = false
    }

    private let id: FileID
    private let draft: FileDraft
    private let store: SQLiteJobStore
    private let disk: DiskFile
    /// Its own, so that an upload waits neither for others nor for a batch's files that are being written.
    private let queue: BlockingQueue
    private let state: Mutex<State>

    private init(id: FileID, draft: FileDraft, store: SQLiteJobStore, disk: DiskFile, queue: BlockingQueue) {
        self.id = id
        self.draft = draft
        self.store = store
        self.disk = disk
        self.queue = queue
        state = Mutex(State(filename: draft.filename, lifetime: draft.lifetime))
    }

    deinit {
        // Unlinking does not wait for the disk; a forgotten upload must not keep its bytes until the next start.
        if !state.withLock({ $0.isOver }) { DiskFile.remove(store.folder.temporary(id.text)) }
    }

    static func begin(id: FileID, draft: FileDraft, store: SQLiteJobStore) async throws(StoreFailure) -> DiskUpload {
        let path = store.folder.temporary(id.text)
        let queue = BlockingQueue("neap.store.upload")
        do throws(StoreFailure) {
            let disk = try await queue.run { () throws(StoreFailure) in try DiskFile.create(path) }
            return DiskUpload(id: id, draft: draft, store: store, disk: disk, queue: queue)
        } catch {
            store.connection.note(error)
            throw error
        }
    }

    func write(_ piece: [UInt8]) async throws(StoreFailure) {
        let limit = store.settings.fileBytes
        let total = state.withLock { state in
            state.bytes += piece.count
            return state.bytes
        }
        if total > limit {
            throw StoreFailure(code: .tooLarge, message: "The file is over the limit of \(limit) bytes.")
        }
        let disk = disk
        try await guarded { () async throws(StoreFailure) in
            try await self.queue.run { () throws(StoreFailure) in try disk.append(piece) }
        }
    }

    func rename(_ filename: String) async { state.withLock { $0.filename = filename } }

    func expire(after lifetime: Duration?) async { state.withLock { $0.lifetime = lifetime } }

    func finish(now: WallTime) async throws(StoreFailure) -> StoredFile {
        let (filename, bytes, wanted) = state.withLock { ($0.filename, $0.bytes, $0.lifetime) }
        let lifetime =
            wanted ?? (draft.purpose == .batch ? store.settings.inputLifetime : store.settings.outputLifetime)
        let file = StoredFile(
            id: id, tenant: draft.tenant, filename: filename, purpose: draft.purpose, bytes: bytes, created: now,
            expires: now + lifetime)
        let (from, to, disk) = (store.folder.temporary(id.text), store.folder.file(id), disk)
        do throws(StoreFailure) {
            try await guarded { () async throws(StoreFailure) in
                try await self.queue.run { () throws(StoreFailure) in
                    try disk.synchronize()
                    try DiskFile.publish(from: from, to: to)
                }
            }
            try await store.writer.run { db in try FileRow.insert(db, file) }
        } catch {
            // It may have its final name already, and no row will ever tell of it.
            try? await queue.run { () throws(StoreFailure) in DiskFile.remove(to) }
            throw error
        }
        state.withLock { $0.isOver = true }
        return file
    }

    func abandon() async {
        let isOver = state.withLock { state in
            defer { state.isOver = true }
            return state.isOver
        }
        if isOver { return }
        let path = store.folder.temporary(id.text)
        try? await queue.run { () throws(StoreFailure) in DiskFile.remove(path) }
    }

    /// A disk that fails here is the store's disk: its health must say so.
    private func guarded(
        _ body: @Sendable () async throws(StoreFailure) -> Void
    ) async throws(StoreFailure) {
        do throws(StoreFailure) {
            try await body()
        } catch {
            store.connection.note(error)
            throw error
        }
    }
}

/// Open bytes of a stored file.
struct DiskReader: FileReading {
    let file: StoredFile
    let disk: DiskFile
    let queue: BlockingQueue

    func read(at offset: Int, count: Int) async throws(StoreFailure) -> [UInt8] {
        let wanted = min(max(0, count), 1 << 20, max(0, file.bytes - max(0, offset)))
        if offset < 0 || wanted == 0 { return [] }
        let disk = disk
        return try await queue.run { () throws(StoreFailure) in try disk.read(at: offset, count: wanted) }
    }
}
