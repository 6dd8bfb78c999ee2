import JobLifecycle
import JobStores
import Logging
import SchedulerRuntime
import Synchronization

extension JobFeeder {
    /// What the timer task remembers between its rounds.
    struct Housekeeping {
        var servedModels: Set<String> = []
        var nextSweep = WallTime(milliseconds: 0)
    }

    /// The timer task: due retries, closing windows, the store's health, what is served. Sleeps until the next of them
    /// is due or something is due earlier.
    func keepTime() async {
        var keeping = Housekeeping()
        while !Task.isCancelled {
            tellPause()
            if world.store.health != .ok { _ = await world.store.probe() }
            tellPause()
            let due = try? await wakeAndClose()
            await lookAtModels(&keeping)
            let now = world.clock.wall()
            if now >= keeping.nextSweep {
                keeping.nextSweep = now + settings.sweepInterval
                inbox.publishSignal.raise()
            }
            let round = now + settings.housekeepingInterval
            // Due since this round began: the next round does it, so there is nothing to sleep for.
            if let due, due <= now { continue }
            await sleep(until: min(round, due ?? round))
        }
    }

    /// Does what is due; returns when the next thing is.
    private func wakeAndClose() async throws(StoreFailure) -> WallTime? {
        let store = world.store
        var woken = 0
        while true {
            let wakeup = try await store.wakeDelayed(now: world.clock.wall())
            woken += wakeup.woken
            guard wakeup.woken > 0, let next = wakeup.next, next <= world.clock.wall() else { break }
        }
        if woken > 0 { inbox.refresh() }
        for batch in try await store.closeWindows(now: world.clock.wall()) { close(batch.id) }
        return try await store.nextDue()
    }

    private func sleep(until time: WallTime) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await self.world.clock.sleep(time) }
            group.addTask { await self.inbox.timerSignal.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    private func lookAtModels(_ keeping: inout Housekeeping) async {
        let served = Set(world.directory().models.keys)
        if served != keeping.servedModels {
            keeping.servedModels = served
            inbox.refresh()
        }
        // Tried again in the next round, and before each validation.
        try? await rememberModels()
        inbox.decide(at: world.clock.wall())
    }

    /// Has the store keep the names of the models that are served now: after a restart a batch may name them although
    /// no engine has said yet what it serves.
    func rememberModels() async throws(StoreFailure) {
        let served = Set(world.directory().models.keys)
        let fresh = life.withLock { served.subtracting($0.remembered) }
        if fresh.isEmpty { return }
        try await world.store.rememberModels(fresh.sorted(), now: world.clock.wall())
        life.withLock { $0.remembered = served }
    }
}
