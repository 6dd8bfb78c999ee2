import DataPlane
import FleetTracking
import JobLifecycle
import JobStores
import Synchronization

/// What event loops, doors and stores leave for the feeder's tasks. Leaving never blocks.
///
/// Bounded by what runs: one claim per pool, a grant and an answer per placed job, a line per open batch.
final class FeederInbox: Sendable {
    /// What became of a running job, in order per job.
    enum Step: Sendable {
        case granted(WorkID)
        case answered(JobAnswer)
        /// Ended without an attempt: withdrawn before placing, or its body could not be read.
        case unplaced(WorkID, JobChange.Step)
    }

    private struct State {
        var claims: [(pool: PoolID, limit: Int)] = []
        var mustRefresh = false
        var steps: [Step] = []
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

    func add(claim pool: PoolID, limit: Int) {
        state.withLock { $0.claims.append((pool, limit)) }
        claimsSignal.raise()
    }

    /// The next claim; nil: none waits.
    func nextClaim() -> (pool: PoolID, limit: Int)? {
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

    /// Up to `limit` steps, oldest first.
    func takeSteps(_ limit: Int) -> [Step] {
        state.withLock { state in
            let taken = Array(state.steps.prefix(limit))
            state.steps.removeFirst(taken.count)
            return taken
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
