import DataPlane
import FleetTracking
import JobLifecycle
import JobStores
import Logging
import SchedulerRuntime
import Scheduling
import Synchronization

extension JobFeeder {
    /// The claims task: each claim is answered with placed jobs and one `claimed`.
    func answerClaims() async {
        // The scheduler has one claim of a model on its way, so there are never more of these tasks than models.
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                while let claim = inbox.nextClaim() { group.addTask { await self.answer(claim) } }
                if inbox.takeRefresh() {
                    await tellBacklogs()
                    continue
                }
                await inbox.claimsSignal.wait()
            }
        }
    }

    /// Tells of every model that has pending jobs, because something changed without a claim. One that has none any
    /// more is not told of: its next claim finds that out.
    private func tellBacklogs() async {
        let directory = world.directory()
        guard !life.withLock({ $0.isDraining }) else { return }
        do throws(StoreFailure) {
            let pending = try await world.store.pending(models: Array(directory.models.keys))
            for (name, jobs) in pending.sorted(by: { $0.key < $1.key }) {
                guard let model = directory.models[name] else { continue }
                world.submit(.backlog(model.pool, model.id, pending: jobs))
            }
        } catch {
            await claimsFailed(error)
        }
    }

    private func answer(_ claim: FeederInbox.ModelClaim) async {
        let directory = world.directory()
        let names = JobFeeder.names(of: claim, directory)
        guard !names.isEmpty, !life.withLock({ $0.isDraining }), !Task.isCancelled else {
            return world.submit(.claimed(claim.pool, claim.model, pending: 0))
        }
        do throws(StoreFailure) {
            let request = ClaimRequest(models: names, limit: claim.limit)
            let found = try await world.store.claim(request)
            let works = found.jobs.map { job in
                let work = world.port.makeWorkID()
                running.add(work, job)
                return work
            }
            for (work, job) in zip(works, found.jobs) { await place(work, job) }
            // The end of a claim comes behind its arrivals: else it would look as if it had brought fewer.
            if !works.isEmpty { await world.port.arrivalsSubmitted() }
            world.submit(.claimed(claim.pool, claim.model, pending: found.pending))
        } catch {
            // The claim needs an answer; the true figure follows.
            world.submit(.claimed(claim.pool, claim.model, pending: 0))
            await claimsFailed(error)
        }
    }

    /// What is pending is not known, so it is looked at again: nothing else may happen that would bring it up.
    private func claimsFailed(_ failure: StoreFailure) async {
        await waitForStore("async jobs cannot be read", failure)
        inbox.refresh()
    }

    /// The names that requests use for the model in this pool, sorted.
    private static func names(of claim: FeederInbox.ModelClaim, _ directory: Directory) -> [String] {
        directory.models.filter { $0.value.pool == claim.pool && $0.value.id == claim.model }.map(\.key).sorted()
    }
}
