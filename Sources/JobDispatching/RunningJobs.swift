import FleetTracking
import JobLifecycle
import Synchronization

/// The jobs that are claimed and have not come to a recorded end, by their work.
///
/// A batch is *closing* once it was cancelled or its window closed: its jobs are withdrawn, and it is published when
/// none is left.
final class RunningJobs: Sendable {
    struct Entry: Sendable {
        var job: Job
        /// Bytes in memory: the request's from its reading until the answer came, then the answer's.
        var bytes = 0
        var isPlaced = false
        var isWithdrawn = false
    }

    private struct Holding {
        var jobs = 0
        var bytes = 0
    }

    private struct State {
        var entries: [WorkID: Entry] = [:]
        var byBatch: [BatchID: Set<WorkID>] = [:]
        var closing: Set<BatchID> = []
        /// By model, of those that have jobs here.
        var byModel: [String: Holding] = [:]
        var bytes = 0
        /// Set for good at the end of a drain: a claim that was under way comes too late to be placed.
        var isOver = false

        /// Half of the limit is divided between the models that have jobs here, the other half is for whoever comes
        /// first: a model whose answers are slow cannot hold up the others. The first job of a model may go beyond its
        /// part, and all together to twice the limit; where nothing is held anything may be, however large it is.
        func mayHold(_ length: Int, of model: String, limit: Int) -> Bool {
            guard bytes > 0 else { return true }
            let part = limit / 2 / max(1, byModel.count)
            let held = byModel[model]?.bytes ?? 0
            if held == 0 || held + length <= part { return bytes - limit + length <= limit }
            let beyond = byModel.reduce(0) { $0 + max(0, $1.value.bytes + ($1.key == model ? length : 0) - part) }
            return beyond <= limit - limit / 2
        }

        mutating func count(_ change: Int, of model: String) {
            bytes += change
            byModel[model]?.bytes += change
        }

        mutating func withdraw(_ works: [WorkID]) -> [WorkID] {
            for work in works { entries[work]?.isWithdrawn = true }
            return works.filter { entries[$0]?.isPlaced == true }
        }
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.entries.count } }
    var bytes: Int { state.withLock { $0.bytes } }
    func count(of batch: BatchID) -> Int { state.withLock { $0.byBatch[batch]?.count ?? 0 } }
    func job(_ work: WorkID) -> Job? { state.withLock { $0.entries[work]?.job } }

    /// Takes a claimed job in. Jobs of a closing batch, and all after a drain, start out withdrawn: they are never
    /// placed.
    func add(_ work: WorkID, _ job: Job) {
        state.withLock { state in
            let isClosing = state.isOver || state.closing.contains(job.batch)
            state.entries[work] = Entry(job: job, isWithdrawn: isClosing)
            state.byBatch[job.batch, default: []].insert(work)
            state.byModel[job.model, default: Holding()].jobs += 1
        }
    }

    /// Counts the bytes that the job's body is about to take, unless that would go over the limit. Also true for a
    /// withdrawn job: it takes none.
    func mayHold(_ work: WorkID, limit: Int) -> Bool {
        state.withLock { state in
            guard let entry = state.entries[work], !entry.isWithdrawn else { return true }
            let length = entry.job.body.length
            guard state.mayHold(length, of: entry.job.model, limit: limit) else { return false }
            state.count(length, of: entry.job.model)
            state.entries[work]?.bytes += length
            return true
        }
    }

    /// True: place it now. False: it was withdrawn before.
    func beginPlacing(_ work: WorkID) -> Bool {
        state.withLock { state in
            guard let entry = state.entries[work], !entry.isWithdrawn else { return false }
            state.entries[work]?.isPlaced = true
            return true
        }
    }

    func isWithdrawn(_ work: WorkID) -> Bool { state.withLock { $0.entries[work]?.isWithdrawn ?? false } }

    /// The answer came: its bytes are in memory now instead of the request's.
    func answered(_ work: WorkID, bytes: Int) {
        state.withLock { state in
            guard let entry = state.entries[work] else { return }
            state.count(bytes - entry.bytes, of: entry.job.model)
            state.entries[work]?.bytes = bytes
        }
    }

    /// Ends an entry; returns its batch if it was the last of a closing one.
    func remove(_ work: WorkID) -> BatchID? {
        state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: work) else { return nil }
            state.count(-entry.bytes, of: entry.job.model)
            state.byModel[entry.job.model]?.jobs -= 1
            if state.byModel[entry.job.model]?.jobs == 0 { state.byModel[entry.job.model] = nil }
            let batch = entry.job.batch
            state.byBatch[batch]?.remove(work)
            guard state.byBatch[batch]?.isEmpty == true else { return nil }
            state.byBatch[batch] = nil
            return state.closing.contains(batch) ? batch : nil
        }
    }

    /// Marks a batch as closing; returns the placed works to withdraw, and whether none of its jobs is left.
    func close(_ batch: BatchID) -> (works: [WorkID], isIdle: Bool) {
        state.withLock { state in
            state.closing.insert(batch)
            let works = (state.byBatch[batch] ?? []).sorted { $0.rawValue < $1.rawValue }
            return (state.withdraw(works), works.isEmpty)
        }
    }

    /// The batch is published, or gone.
    func forget(_ batch: BatchID) { state.withLock { _ = $0.closing.remove(batch) } }

    /// Marks every job withdrawn, those to come as well; returns the placed works.
    func withdrawAll() -> [WorkID] {
        state.withLock { state in
            state.isOver = true
            return state.withdraw(state.entries.keys.sorted { $0.rawValue < $1.rawValue })
        }
    }
}
