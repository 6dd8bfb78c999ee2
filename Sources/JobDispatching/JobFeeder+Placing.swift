import DataPlane
import FleetTracking
import FlowControl
import JobLifecycle
import JobStores
import NIOCore
import SchedulerRuntime
import Scheduling
import WireFormats

extension JobFeeder {
    /// Brings one claimed job to the scheduler, or leaves what became of it in the inbox.
    func place(_ work: WorkID, _ job: Job) async {
        await waitForRoom(work)
        // The rules in force now: the wait may have been long.
        switch await prepare(job, world.directory()) {
        case .failure(let end): inbox.add(.unplaced(work, end.step))
        case .success(let attempt):
            if job.sendsOnce, let end = await commitGrant(job) { return inbox.add(.unplaced(work, end.step)) }
            guard running.beginPlacing(work) else { return inbox.add(.unplaced(work, .released)) }
            place(work, attempt)
        }
    }

    /// The limit of bytes in memory: a job waits until an answer was recorded. There is always one to come, because
    /// the bytes are those of running jobs.
    private func waitForRoom(_ work: WorkID) async {
        await room.wait { running.mayHold(work, limit: settings.heldBytes) }
    }

    /// Why a job is not placed.
    private struct Unplaced: Error {
        var step: JobChange.Step

        static func failed(_ code: String, _ message: String) -> Unplaced {
            Unplaced(step: .ended(JobRecord(state: .failed, fault: JobFault(code: code, message: message))))
        }
    }

    /// A job as its pool's engines are to see it.
    private struct Prepared {
        var job: Job
        var model: ModelEntry
        var pool: PoolEntry
        var scan: RequestScan
        var body: [UInt8]
        var prefix: [PrefixBlock]
    }

    private func prepare(_ job: Job, _ directory: Directory) async -> Result<Prepared, Unplaced> {
        // Its model left the pools since the claim: it waits for it.
        guard let model = directory.models[job.model], let pool = directory.pool(model.pool) else {
            return .failure(Unplaced(step: .released))
        }
        let body: [UInt8]
        do throws(StoreFailure) {
            body = try await world.store.readBody(job.body)
        } catch {
            return .failure(unreadable(error))
        }
        let scan = body.withUnsafeBytes { try? RequestScan.scan($0, kind: RequestKind(path: job.path)) }
        guard let scan else {
            return .failure(.failed("input_file_changed", "The line's bytes are not those that were validated."))
        }
        if let refusal = PoolRules.refusal(of: scan, path: job.path, by: pool) {
            return .failure(.failed(refusal.code, refusal.message))
        }
        let prefix = body.withUnsafeBytes { world.prefix(model.id, $0, scan.promptText) }
        return .success(
            Prepared(
                job: job, model: model, pool: pool, scan: scan, body: PoolRules.sent(body, scan, by: pool),
                prefix: prefix))
    }

    private func unreadable(_ failure: StoreFailure) -> Unplaced {
        if failure.code == .notFound {
            return .failed("input_file_lost", "The line's bytes are gone from the input file.")
        }
        return Unplaced(
            step: .postponed(until: world.clock.wall() + settings.probeInterval, countsAsAttempt: false))
    }

    /// A line that may be sent once is durably on its way before it is: else a crash would have it sent again. Returns
    /// what becomes of it when that cannot be written.
    private func commitGrant(_ job: Job) async -> Unplaced? {
        do throws(StoreFailure) {
            let change = JobChange(job: job.id, lease: job.lease, step: .granted)
            let results = try await world.store.apply([change], now: world.clock.wall())
            return results == [.refused] ? Unplaced(step: .released) : nil
        } catch {
            return unreadable(error)
        }
    }

    private func place(_ work: WorkID, _ attempt: Prepared) {
        let job = attempt.job
        let now = (wall: world.clock.wall(), monotonic: world.clock.monotonic())
        var arrival = Arrival(
            work: work, pool: attempt.pool.id, model: attempt.model.id, tenant: world.tenant(job.tenant), band: .async,
            promptTokens: job.cost.promptTokens,
            expectedOutputTokens: job.cost.outputTokens ?? attempt.pool.expectedOutputTokens,
            sequences: job.cost.sequences, prefix: attempt.prefix, timeToLive: settings.placementWait,
            deadline: now.monotonic + (job.deadline - now.wall), mayRetryAfterSend: !job.sendsOnce)
        arrival.outputTokenLimit = job.cost.outputTokens
        arrival.isStream = false
        let inbox = inbox
        world.port.place(
            JobAttempt(
                arrival: arrival, path: job.path, body: ByteBuffer(bytes: attempt.body),
                requestID: JobFeeder.requestID(of: job), model: job.model, tenant: job.tenant),
            onGrant: { work, _ in inbox.add(.granted(work)) },
            onAnswer: { [running] answer in
                running.answered(answer.work, bytes: answer.body.readableBytes)
                inbox.add(.answered(answer))
            })
        // A withdrawal between the check and the placing found nothing to withdraw.
        if running.isWithdrawn(work) { world.port.withdraw(work) }
    }

    /// What the engine is told as `x-request-id`, and what the result says where the engine gives no id of its own.
    static func requestID(of job: Job) -> String { "\(job.batch.text)-\(job.id.line)-\(job.retries + 1)" }
}
