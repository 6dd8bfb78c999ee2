import JobLifecycle
import Synchronization

/// The jobs that this process holds, from claim to the commit that ends the hold.
///
/// A claim is not written to disk: the data folder has one owner, so memory is enough to keep two claims apart, and
/// a claim costs no fsync. What a crash leaves is `pending`, which is right.
final class HeldJobs: Sendable {
    struct Hold: Sendable {
        var lease: LeaseToken
        var lane: Int64
        /// Still `pending` on disk; false once its lease is committed.
        var isUnleased: Bool
    }

    /// What a claim may not take. Copied before the read it filters, so that a job which ends meanwhile is left out
    /// rather than taken twice.
    struct Snapshot: Sendable {
        var jobs: [JobID: Hold]
        var unleasedByLane: [Int64: Int]
    }

    private struct State {
        var held = Snapshot(jobs: [:], unleasedByLane: [:])
        var epoch: Int64 = 0
        var claims: Int64 = 0

        mutating func countLeased(_ job: JobID) {
            guard let hold = held.jobs[job], hold.isUnleased else { return }
            held.jobs[job]?.isUnleased = false
            let left = (held.unleasedByLane[hold.lane] ?? 0) - 1
            held.unleasedByLane[hold.lane] = left > 0 ? left : nil
        }
    }

    private let state = Mutex(State())

    var epoch: Int64 { state.withLock { $0.epoch } }
    func start(epoch: Int64) { state.withLock { $0.epoch = epoch } }

    func snapshot() -> Snapshot { state.withLock { $0.held } }

    /// Holds a job under a fresh token; nil if it is held already.
    func hold(_ job: JobID, lane: Int64) -> LeaseToken? {
        state.withLock { state in
            guard state.held.jobs[job] == nil else { return nil }
            state.claims += 1
            let lease = LeaseToken(epoch: state.epoch, serial: state.claims)
            state.held.jobs[job] = Hold(lease: lease, lane: lane, isUnleased: true)
            state.held.unleasedByLane[lane, default: 0] += 1
            return lease
        }
    }

    func lease(of job: JobID) -> LeaseToken? { state.withLock { $0.held.jobs[job]?.lease } }

    func markLeased(_ job: JobID) { state.withLock { $0.countLeased(job) } }

    /// Ends the hold if it is this one.
    func drop(_ job: JobID, lease: LeaseToken) {
        state.withLock { state in
            guard state.held.jobs[job]?.lease == lease else { return }
            state.countLeased(job)
            state.held.jobs[job] = nil
        }
    }

    func drop(batchSerial: Int64) {
        state.withLock { state in
            for job in state.held.jobs.keys where job.batchSerial == batchSerial {
                state.countLeased(job)
                state.held.jobs[job] = nil
            }
        }
    }
}
