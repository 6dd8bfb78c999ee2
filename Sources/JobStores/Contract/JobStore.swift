package import JobLifecycle

/// What the doors need: files and batches, each visible to its tenant only. A file is not found from its end on,
/// whether its bytes are removed yet or not.
///
/// Every operation is durable when it returns. None runs on an event loop or blocks the caller's thread.
package protocol BatchDoor: Sendable {
    /// Fails early with `unavailable` where the bytes could not be kept.
    func beginFile(_ draft: FileDraft) async throws(StoreFailure) -> any FileUploading
    func file(_ id: FileID, tenant: String, now: WallTime) async throws(StoreFailure) -> StoredFile
    func openFile(_ id: FileID, tenant: String, now: WallTime) async throws(StoreFailure) -> any FileReading
    func files(_ query: FileQuery, now: WallTime) async throws(StoreFailure) -> Page<StoredFile>
    /// `conflict` while a batch that has not ended reads it.
    func deleteFile(_ id: FileID, tenant: String, now: WallTime) async throws(StoreFailure)

    /// The batch starts `validating`; `notFound` where the tenant has no such input file, `invalid` where its
    /// purpose is not `batch`.
    func createBatch(_ draft: BatchDraft, now: WallTime) async throws(StoreFailure) -> Batch
    func batch(_ id: BatchID, tenant: String) async throws(StoreFailure) -> Batch
    func batches(_ query: BatchQuery) async throws(StoreFailure) -> Page<Batch>
    /// Idempotent; `conflict` for a batch that completed, failed or expired.
    func cancelBatch(_ id: BatchID, tenant: String, now: WallTime) async throws(StoreFailure) -> Batch

    /// Cheap: no input or output.
    var health: StoreHealth { get }
}

/// What async dispatch needs: lines in, claims, results, ends of batches. One dispatcher per store at a time.
///
/// A claimed job is held by this process until its change is applied. Holds die with the process: at the next start
/// every lease of an earlier epoch is released.
package protocol JobQueue: Sendable {
    /// Called after the commit that it tells of, from any thread; must return at once. Set once, before use.
    func onChange(_ listener: @escaping @Sendable (StoreChange) -> Void)
    /// Releases the leases of earlier epochs, and tells which batches need a hand. A leased line that may be sent once
    /// only (`Job.sendsOnce`) ends as `interrupted`: nobody knows any more whether an engine ran it.
    func recover(now: WallTime) async throws(StoreFailure) -> Recovery

    /// The input of a batch that has not ended: readable until it has, also past the file's own end.
    func openInput(_ file: FileID) async throws(StoreFailure) -> any FileReading
    /// Where reading a batch's input file went on to; nil: the batch is not validating any more.
    func validationProgress(_ batch: BatchID) async throws(StoreFailure) -> ValidationProgress?
    /// Adds lines in order, in one transaction. Their first index must be the progress's `lines`.
    /// `conflict` where the batch is not validating any more.
    func insertLines(_ lines: [JobLine], batch: BatchID) async throws(StoreFailure)
    /// The last line was added: from now on they may be claimed.
    func admit(_ batch: BatchID, now: WallTime) async throws(StoreFailure) -> Batch
    /// The input file is no batch: `failed` with these faults; lines added so far are removed.
    func reject(_ batch: BatchID, faults: [BatchFault], now: WallTime) async throws(StoreFailure) -> Batch
    /// Bytes of a body, off the event loops; `notFound` if the file is gone.
    func readBody(_ body: BodyLocation) async throws(StoreFailure) -> [UInt8]

    /// Holds up to `limit` pending jobs of these models for the caller, earliest deadline first, then oldest batch,
    /// then line order.
    func claim(_ request: ClaimRequest) async throws(StoreFailure) -> Claim
    /// Applies the changes in order in one transaction. A change whose lease is not the job's, or whose batch takes
    /// no results any more, is skipped and reported as `refused`; its job is no longer held.
    func apply(_ changes: [JobChange], now: WallTime) async throws(StoreFailure) -> [ChangeResult]
    /// Makes delayed jobs pending whose time came, at most the store's limit per call.
    func wakeDelayed(now: WallTime) async throws(StoreFailure) -> Wakeup
    /// Pending jobs of each of these models that nobody holds, without those that have none; may be too high by what is
    /// being claimed, never 0 where there is one.
    func pending(models: [String]) async throws(StoreFailure) -> [String: Int]
    /// Keeps these names as models that were served once, for every later life. At the store's limit those seen
    /// longest ago are forgotten.
    func rememberModels(_ names: [String], now: WallTime) async throws(StoreFailure)
    /// Every model that was remembered, sorted.
    func knownModels() async throws(StoreFailure) -> [String]

    /// Batches whose window closed: moves them on and returns them.
    func closeWindows(now: WallTime) async throws(StoreFailure) -> [Batch]
    /// Seals the batch (later results are refused), writes its files and makes it final. Safe to repeat after a
    /// crash at any point. `conflict` where the batch is not finalizing or cancelling.
    func publish(_ batch: BatchID, now: WallTime) async throws(StoreFailure) -> Batch
    /// Removes rows of final batches and expired files, a bounded piece per call; true when more is left.
    func sweep(now: WallTime) async throws(StoreFailure) -> Bool
    /// The next time at which a delayed job or the end of a window is due; nil: none.
    func nextDue() async throws(StoreFailure) -> WallTime?

    /// Batches that have not ended, all tenants, oldest first, with sums over all lines.
    func overview() async throws(StoreFailure) -> StoreOverview
    /// Tries to write when the store is unavailable; tells the health after it.
    func probe() async -> StoreHealth
    /// Waits for started operations, then closes. Later operations fail with `closed`.
    func close() async
}

/// A durable store of files, batches and jobs. The conformance suite in `JobStoresTests` is the definition.
package protocol JobStore: BatchDoor, JobQueue {}
