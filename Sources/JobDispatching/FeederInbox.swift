import DataPlane
import FleetTracking
import JobLifecycle
import JobStores
import NIOCore
import Synchronization

/// What event loops, doors and stores leave for the feeder's tasks. Leaving never blocks.
///
/// Bounded by what runs: one claim per model, a grant and an answer per placed job, an entry per open batch.
final class FeederInbox: Sendable {
    /// The scheduler's wish for more jobs of a model.
    struct ModelClaim: Sendable {
        var pool: PoolID
        var model: ModelID
        var limit: Int
    }

    /// What became of a running job, in order per job.
    enum Step: Sendable {
        case granted(WorkID)
        case answered(JobAnswer)
        /// Ended without an attempt: withdrawn before placing, or its body could not be read.
        case unplaced(WorkID, JobChange.Step)
    }

    private struct State {
        var claims: [ModelClaim] = []
        var mustRefresh = false
        var steps: [Step] = []
        /// Batches that name a model nobody knows yet, and until when each waits for it.
        var undecided: [(batch: BatchID, until: WallTime)] = []
        /// Counts changes of the directory.
        var directoryVersion = 0
        var toValidate: [BatchID] = []
        var toPublish: [BatchID] = []
    }

    private let state = Mutex(State())
    /// A claim, or a change of what is pending.
    let claimsSignal = Signal()
    let stepsSignal = Signal()
    let validationSignal = Signal()
    let publishSignal = Signal()
    /// Something became due earlier than the timer knows, or the store's health changed.
    let timerSignal = Signal()

    func add(_ claim: ModelClaim) {
        state.withLock { $0.claims.append(claim) }
        claimsSignal.raise()
    }

    /// The next claim; nil: none waits.
    func nextClaim() -> ModelClaim? {
        state.withLock { $0.claims.isEmpty ? nil : $0.claims.removeFirst() }
    }

    /// What is pending changed: the scheduler is to be told.
    func refresh() {
        state.withLock { $0.mustRefresh = true }
        claimsSignal.raise()
    }

    func takeRefresh() -> Bool {
        state.withLock { state in
            defer { state.mustRefresh = false }
            return state.mustRefresh
        }
    }

    func add(_ step: Step) {
        state.withLock { $0.steps.append(step) }
        stepsSignal.raise()
    }

    /// Up to `limit` steps, oldest first, and no more once their answers have this many bytes.
    func takeSteps(_ limit: Int, bytes: Int) -> [Step] {
        state.withLock { state in
            var (count, sum) = (0, 0)
            while count < min(limit, state.steps.count), sum < bytes {
                if case .answered(let answer) = state.steps[count] { sum += answer.body.readableBytes }
                count += 1
            }
            defer { state.steps.removeFirst(count) }
            return Array(state.steps.prefix(count))
        }
    }

    func add(validation batch: BatchID) {
        state.withLock { state in
            if !state.toValidate.contains(batch) { state.toValidate.append(batch) }
        }
        validationSignal.raise()
    }

    func nextValidation() -> BatchID? {
        state.withLock { $0.toValidate.isEmpty ? nil : $0.toValidate.removeFirst() }
    }

    var directoryVersion: Int { state.withLock { $0.directoryVersion } }

    /// Puts a batch aside whose models are not known yet. `version` is the directory's that was looked at: when it has
    /// changed since, the batch is validated again at once.
    func setAside(_ batch: BatchID, until: WallTime, version: Int) {
        let isOld = state.withLock { state in
            if state.directoryVersion == version { state.undecided.append((batch, until)) }
            return state.directoryVersion != version
        }
        if isOld { add(validation: batch) }
    }

    /// Models were learned, or pools changed.
    func directoryChanged() {
        let batches = state.withLock { state in
            state.directoryVersion += 1
            defer { state.undecided = [] }
            return state.undecided.map(\.batch)
        }
        for batch in batches { add(validation: batch) }
    }

    /// Batches that have waited long enough are validated for the last time.
    func decide(at now: WallTime) {
        let due = state.withLock { state in
            defer { state.undecided.removeAll { $0.until <= now } }
            return state.undecided.filter { $0.until <= now }.map(\.batch)
        }
        for batch in due { add(validation: batch) }
    }

    func add(publishing batch: BatchID) {
        state.withLock { state in
            if !state.toPublish.contains(batch) { state.toPublish.append(batch) }
        }
        publishSignal.raise()
    }

    func nextPublishing() -> BatchID? {
        state.withLock { $0.toPublish.isEmpty ? nil : $0.toPublish.removeFirst() }
    }
}
