/// Limits and lifetimes of a store. Every figure is a default that configuration may change.
package struct StoreSettings: Sendable {
    /// Lines of one batch. OpenAI's limit.
    package var linesPerBatch = 50_000
    /// Bytes of one uploaded file: 200 MB, OpenAI's limit for batches.
    package var fileBytes = 209_715_200
    /// Batches of one tenant that have not ended.
    package var openBatchesPerTenant = 2_000
    /// Entries kept of `errors.data[]`.
    package var faultsPerBatch = 100
    /// How long an uploaded batch input lives when the client names no time: 30 days.
    package var inputLifetime = Duration.seconds(30 * 86_400)
    /// How long output and error files live when the batch names no time: 30 days.
    package var outputLifetime = Duration.seconds(30 * 86_400)
    /// How long ended batches stay listed: 90 days.
    package var batchLifetime = Duration.seconds(90 * 86_400)
    /// Operations that wait for the writer; beyond it callers get `limitReached` and try again.
    package var waitingOperations = 10_000
    /// Operations in one transaction of the writer.
    package var operationsPerCommit = 512
    /// Delayed jobs made pending by one call.
    package var wakeupsPerCall = 5_000
    /// Names of models that are remembered. Enough for every adapter of a large fleet; some hundred kilobytes.
    package var knownModels = 10_000
    /// Rows removed by one call of `sweep`.
    package var rowsPerSweep = 2_000
    /// Batches in one overview.
    package var overviewBatches = 100
    /// Ended batches in one overview.
    package var overviewEnded = 8

    package init() {}
}
