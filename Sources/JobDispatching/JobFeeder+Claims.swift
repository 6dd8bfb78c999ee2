import DataPlane
import FleetTracking
import FlowControl
import JobLifecycle
import JobStores
import Logging
import NIOCore
import SchedulerRuntime
import Scheduling
import Synchronization

extension JobFeeder {
    /// The claims task: each claim is answered with placed jobs and one `backlog`.
    func answerClaims() async {
        while !Task.isCancelled {
            while let (pool, limit) = inbox.nextClaim() { await answer(pool, limit: limit) }
            if inbox.takeRefresh() {
                await tellBacklogs()
                continue
            }
            await inbox.claimsSignal.wait()
        }
    }

    /// Tells every pool's pending jobs, because something changed without a claim.
    private func tellBacklogs() async {
        let directory = world.directory()
        for pool in directory.pools {
            let models = JobFeeder.models(of: pool.id, directory)
            let pending = life.withLock { $0.isDraining } ? 0 : (try? await world.store.pending(models: models)) ?? 0
            world.submit(.backlog(pool.id, pending: pending))
        }
    }

    private func answer(_ pool: PoolID, limit: Int) async {
        let directory = world.directory()
        let models = JobFeeder.models(of: pool, directory)
        await waitForRoom()
        guard !models.isEmpty, !life.withLock({ $0.isDraining }), !Task.isCancelled else {
            return world.submit(.backlog(pool, pending: 0))
        }
        do throws(StoreFailure) {
            let request = ClaimRequest(models: models, limit: limit, now: world.clock.wall())
            let claim = try await world.store.claim(request)
            let works = claim.jobs.map { job in
                let work = world.port.makeWorkID()
                running.add(work, job)
                return work
            }
            for (work, job) in zip(works, claim.jobs) { await place(work, job, directory) }
            world.submit(.backlog(pool, pending: claim.pending))
        } catch {
            world.log.warning("async claim failed", metadata: ["reason": "\(error.message)"])
            // The refresh after the store's recovery tells the true figure.
            world.submit(.backlog(pool, pending: 0))
        }
    }

    /// The limit of bytes in memory: a claim waits until an answer was recorded. There is always one to come, because
    /// the bytes are those of running jobs.
    private func waitForRoom() async {
        while running.bytes >= settings.heldBytes && !Task.isCancelled { await progress.wait() }
    }

    private func place(_ work: WorkID, _ job: Job, _ directory: Directory) async {
        let body: [UInt8]
        do throws(StoreFailure) {
            body = try await world.store.readBody(job.body)
        } catch {
            inbox.add(.unplaced(work, unreadable(error)))
            return
        }
        guard let model = directory.models[job.model], running.beginPlacing(work) else {
            inbox.add(.unplaced(work, .released))
            return
        }
        let pool = directory.pool(model.pool)
        let now = (wall: world.clock.wall(), monotonic: world.clock.monotonic())
        let arrival = Arrival(
            work: work, pool: model.pool, model: model.id, tenant: world.tenant(job.tenant), band: .async,
            promptTokens: job.cost.promptTokens,
            expectedOutputTokens: job.cost.outputTokens ?? pool?.expectedOutputTokens ?? 256,
            sequences: job.cost.sequences, prefix: world.prefix(job, body), timeToLive: settings.placementWait,
            deadline: now.monotonic + (job.deadline - now.wall))
        let inbox = inbox
        world.port.place(
            JobAttempt(
                arrival: arrival, path: job.path, body: ByteBuffer(bytes: body),
                requestID: "\(job.batch.text)-\(job.id.line)-\(job.retries + 1)", model: job.model, tenant: job.tenant),
            onGrant: { work, _ in inbox.add(.granted(work)) },
            onAnswer: { [running] answer in
                running.answered(answer.work, bytes: answer.body.readableBytes)
                inbox.add(.answered(answer))
            })
        // A withdrawal between the check and the placing found nothing to withdraw.
        if running.isWithdrawn(work) { world.port.withdraw(work) }
    }

    private func unreadable(_ failure: StoreFailure) -> JobChange.Step {
        if failure.code == .notFound {
            let fault = JobFault(code: "input_file_lost", message: "The line's bytes are gone from the input file.")
            return .ended(JobRecord(state: .failed, fault: fault))
        }
        return .postponed(until: world.clock.wall() + settings.probeInterval, countsAsAttempt: false)
    }

    /// The names that requests of this pool use, sorted.
    static func models(of pool: PoolID, _ directory: Directory) -> [String] {
        directory.models.filter { $0.value.pool == pool }.map(\.key).sorted()
    }
}
