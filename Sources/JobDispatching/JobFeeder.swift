import DataPlane
package import FleetTracking
import JobLifecycle
package import JobStores
import Logging
import SchedulerRuntime
import Scheduling
import ServiceLifecycle
import Synchronization

/// The service between the store, the scheduler and the engines: it validates batches, answers the scheduler's
/// claims with placed jobs, records what became of them, and ends batches.
///
/// Five tasks, each with its own inbox and signal: claims, records, validation, endings, timer. Every `backlog` event
/// comes from the claims task alone, so that of those an older figure never follows a newer one; each claim is answered
/// (`claimed`) in a task of its own, so that a model whose jobs wait for memory holds up no other. A job leaves
/// `running` only after its change is durable.
package final class JobFeeder: Service {
    let world: FeederWorld
    let settings: FeederSettings
    let inbox = FeederInbox()
    let running = RunningJobs()
    /// Claims whose next job waits for memory; raised when an answer was recorded.
    let room = Waiters()
    /// Raised with it: a drain waits for the last job.
    let drainProgress = Signal()
    let life = Mutex(Life())
    private let shutdown = Signal()

    struct Life {
        var isRecovered = false
        var isDraining = false
        /// What the scheduler was told last.
        var isPaused = false
        /// The served models that the store knows of.
        var remembered: Set<String> = []
    }

    package init(world: FeederWorld, settings: FeederSettings = FeederSettings()) {
        self.world = world
        self.settings = settings
        let inbox = inbox
        world.store.onChange { [weak self] change in
            switch change {
            case .batchCreated(let batch): inbox.add(validation: batch)
            case .batchCancelling(let batch): self?.close(batch)
            case .health: inbox.timerSignal.raise()
            }
        }
    }

    /// The scheduler's wish for jobs: register it with `SchedulerHost.receiveClaims`. Never blocks.
    package func receiveClaim(_ pool: PoolID, _ model: ModelID, limit: Int) {
        inbox.add(FeederInbox.ModelClaim(pool: pool, model: model, limit: limit))
    }

    /// Models were learned or pools changed: lines and batches that waited for a model may have a pool now.
    package func directoryChanged() {
        inbox.directoryChanged()
        // New names are remembered at once.
        inbox.timerSignal.raise()
        inbox.refresh()
    }

    /// Bytes of running jobs in memory, for metrics.
    package var heldBytes: Int { running.bytes }

    /// Progress for the page and the metrics.
    package func overview() async throws(StoreFailure) -> DispatchOverview {
        let stored = try await world.store.overview()
        return DispatchOverview(
            store: stored, running: stored.batches.map { running.count(of: $0.batch.id) }, runningTotal: running.count)
    }

    /// Runs until the graceful shutdown: then drains and returns. The store is the caller's to close, afterwards.
    package func run() async throws {
        let shutdown = shutdown
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.work() }
                group.addTask {
                    await shutdown.wait()
                    await self.drain()
                }
                // The drain ends first, or the whole task was cancelled.
                await group.next()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            shutdown.raise()
        }
    }

    private func work() async {
        await recover()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.answerClaims() }
            group.addTask { await self.recordSteps() }
            group.addTask { await self.validateBatches() }
            group.addTask { await self.publishBatches() }
            group.addTask { await self.keepTime() }
        }
    }

    /// Takes over what an earlier life left. Waits for a store that is not there yet.
    private func recover() async {
        let store = world.store
        while !Task.isCancelled {
            do throws(StoreFailure) {
                let recovery = try await store.recover(now: world.clock.wall())
                life.withLock { $0.isRecovered = true }
                world.log.info(
                    "async store recovered",
                    metadata: ["epoch": "\(recovery.epoch)", "released_leases": "\(recovery.releasedLeases)"])
                for batch in recovery.validating { inbox.add(validation: batch) }
                for batch in recovery.ending { close(batch) }
                inbox.refresh()
                return
            } catch {
                tellPause()
                await waitForStore("async store is not available", error)
            }
        }
    }

    /// After an operation that an unwell store did not take: has the scheduler told, gives the store a moment, and
    /// tries it. The caller then does the same again.
    func waitForStore(_ what: Logger.Message, _ failure: StoreFailure, _ metadata: Logger.Metadata = [:]) async {
        inbox.timerSignal.raise()
        world.log.warning(what, metadata: metadata.merging(["reason": "\(failure.message)"]) { $1 })
        do {
            try await world.clock.sleep(world.clock.wall() + settings.probeInterval)
        } catch {
            // The feeder ends: nothing is tried any more.
            return
        }
        _ = await world.store.probe()
    }

    /// Tells the scheduler when async grants must stop or may come again.
    func tellPause() {
        // Looked at and told under the lock, so that of two tasks the one that looked later tells later.
        life.withLock { life in
            let mustPause = world.store.health != .ok || life.isDraining || !life.isRecovered
            guard life.isPaused != mustPause else { return }
            life.isPaused = mustPause
            world.submit(.asyncPaused(mustPause))
            if !mustPause { inbox.refresh() }
        }
    }

    /// Lets running jobs end within the drain time, then withdraws and releases the rest.
    private func drain() async {
        let end = world.clock.wall() + settings.drainTime
        life.withLock { $0.isDraining = true }
        tellPause()
        await waitUntilIdle(or: end)
        for work in running.withdrawAll() { world.port.withdraw(work) }
        room.raise()
        await waitUntilIdle(or: world.clock.wall() + settings.withdrawTime)
        let left = running.count
        if left > 0 {
            // Their leases are released at the next start.
            world.log.warning("jobs were still running at the end of the drain", metadata: ["count": "\(left)"])
        }
    }

    private func waitUntilIdle(or until: WallTime) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                while self.running.count > 0 && !Task.isCancelled { await self.drainProgress.wait() }
            }
            group.addTask { try? await self.world.clock.sleep(until) }
            await group.next()
            group.cancelAll()
        }
    }
}
