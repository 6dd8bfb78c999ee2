package import JobLifecycle

/// Limits and times of async dispatch.
package struct FeederSettings: Sendable {
    package var retries = RetryTable()
    /// Request bodies of placed jobs and answers not yet recorded, together. At it, the next job waits for an answer.
    /// Half of it is divided between the models that have jobs placed; one job of each may always be held.
    package var heldBytes = 256 << 20
    /// How long a placed job may wait in the scheduler before it is put back with a backoff.
    package var placementWait = Duration.seconds(300)
    /// How long after its creation a batch waits in validation for engines that have not said yet what they serve,
    /// when it names a model that no pool ever served. Then, and at once when all engines have spoken, it fails.
    package var modelGrace = Duration.seconds(600)
    /// How often an unavailable store is tried, and how soon a failed ending is repeated.
    package var probeInterval = Duration.seconds(2)
    /// How often served models and waiting validations are looked at. Not on the way of any job.
    package var housekeepingInterval = Duration.seconds(2)
    /// How often expired files and old batches are looked for.
    package var sweepInterval = Duration.seconds(600)
    /// How long running jobs may go on after a shutdown began; then they are withdrawn and released. Short, because
    /// nothing is lost: the next life runs them again.
    package var drainTime = Duration.seconds(10)
    /// How long withdrawn jobs may take to answer at the end of a drain.
    package var withdrawTime = Duration.seconds(5)
    /// Lines of one transaction while a batch is validated.
    package var linesPerInsert = 2_000
    /// Bytes of one line of an input file.
    package var lineBytes = 16 << 20
    /// Lines of one batch, the same as the store's.
    package var linesPerBatch = 50_000
    /// Faults after which reading an input file ends.
    package var faultsPerBatch = 100

    package init() {}
}
