import DataPlane
import FleetTracking
import JobLifecycle
import JobStores
import Logging
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

    /// Tells every pool's pending jobs, because something changed without a claim. A pool whose claim waits is told by
    /// the claim's answer: an earlier figure would be taken for it.
    private func tellBacklogs() async {
        let directory = world.directory()
        do throws(StoreFailure) {
            for pool in directory.pools where !inbox.hasClaim(of: pool.id) {
                let isDraining = life.withLock { $0.isDraining }
                let models = JobFeeder.models(of: pool.id, directory)
                let pending = try await isDraining ? 0 : world.store.pending(models: models)
                world.submit(.backlog(pool.id, pending: pending))
            }
        } catch {
            await claimsFailed(error)
        }
    }

    private func answer(_ pool: PoolID, limit: Int) async {
        let directory = world.directory()
        let models = JobFeeder.models(of: pool, directory)
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
            // The claim needs an answer; the true figure follows.
            world.submit(.backlog(pool, pending: 0))
            await claimsFailed(error)
        }
    }

    /// What is pending is not known, so it is looked at again: nothing else may happen that would bring it up.
    private func claimsFailed(_ failure: StoreFailure) async {
        await waitForStore("async jobs cannot be read", failure)
        inbox.refresh()
    }

    /// The names that requests of this pool use, sorted.
    static func models(of pool: PoolID, _ directory: Directory) -> [String] {
        directory.models.filter { $0.value.pool == pool }.map(\.key).sorted()
    }
}
