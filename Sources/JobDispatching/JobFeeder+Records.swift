import DataPlane
import FleetTracking
import JobLifecycle
import JobStores
import Logging
import NIOCore

extension JobFeeder {
    /// Steps in one transaction, and bytes of answers after which it takes no more.
    private static let stepsPerCommit = 256
    private static let bytesPerCommit = 8 << 20

    /// The records task: what became of jobs goes into the store in the order it came, and is kept until it is there.
    func recordSteps() async {
        while !Task.isCancelled {
            let steps = inbox.takeSteps(JobFeeder.stepsPerCommit, bytes: JobFeeder.bytesPerCommit)
            if steps.isEmpty {
                await inbox.stepsSignal.wait()
                continue
            }
            await record(steps)
        }
    }

    private func record(_ steps: [FeederInbox.Step]) async {
        let now = world.clock.wall()
        let changes = steps.compactMap { change($0, now: now) }
        guard let results = await commit(changes.map(\.change)) else { return }
        var mustRefresh = false
        for (entry, result) in zip(changes, results) {
            if case .drained(let batch) = result { inbox.add(publishing: batch) }
            switch entry.change.step {
            case .granted: continue
            case .ended: break
            case .postponed: inbox.timerSignal.raise()
            case .released: mustRefresh = true
            }
            if let batch = running.remove(entry.work) { inbox.add(publishing: batch) }
        }
        if mustRefresh { inbox.refresh() }
        room.raise()
        drainProgress.raise()
    }

    /// Repeats until the store took the changes; nil: the task was cancelled before.
    private func commit(_ changes: [JobChange]) async -> [ChangeResult]? {
        while !Task.isCancelled {
            do throws(StoreFailure) {
                return try await world.store.apply(changes, now: world.clock.wall())
            } catch {
                if error.code == .closed { return nil }
                await waitForStore("async results wait for the store", error, ["count": "\(changes.count)"])
            }
        }
        return nil
    }

    private func change(_ step: FeederInbox.Step, now: WallTime) -> (work: WorkID, change: JobChange)? {
        let (work, next): (WorkID, (Job) -> JobChange.Step) =
            switch step {
            case .granted(let work): (work, { _ in .granted })
            case .unplaced(let work, let step): (work, { _ in step })
            case .answered(let answer): (answer.work, { self.outcome(of: answer, $0, now: now) })
            }
        guard let job = running.job(work) else { return nil }
        return (work, JobChange(job: job.id, lease: job.lease, step: next(job)))
    }

    /// The retry table's verdict as a step of the job.
    private func outcome(of answer: JobAnswer, _ job: Job, now: WallTime) -> JobChange.Step {
        let context = AttemptContext(
            attempts: job.attempts, retries: job.retries, timeLeft: job.deadline - now, retryAfter: answer.retryAfter,
            sendsOnce: job.sendsOnce, draws: world.draws())
        switch settings.retries.verdict(for: AttemptResult(answer), context) {
        case .succeeded:
            return .ended(record(.succeeded, answer, job))
        case .failed(let fault):
            var record = record(.failed, answer, job)
            if let fault { (record.fault, record.response) = (fault, nil) }
            return .ended(record)
        case .expired:
            return .ended(JobRecord(state: .expired, fault: .batchExpired))
        case .retry(let delay, let countsAsAttempt):
            return .postponed(until: now + delay, countsAsAttempt: countsAsAttempt)
        case .released:
            return .released
        }
    }

    private func record(_ state: JobState, _ answer: JobAnswer, _ job: Job) -> JobRecord {
        JobRecord(
            state: state,
            response: JobResponse(
                status: answer.status, requestID: answer.engineRequestID ?? JobFeeder.requestID(of: job),
                body: Array(answer.body.readableBytesView)),
            usage: BatchUsage(
                inputTokens: max(0, answer.promptTokens ?? 0), cachedTokens: max(0, answer.cachedTokens ?? 0),
                outputTokens: max(0, answer.outputTokens ?? 0)))
    }
}
