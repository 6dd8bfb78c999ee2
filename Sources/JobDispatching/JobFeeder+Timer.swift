import JobLifecycle
import JobStores
import Logging
import SchedulerRuntime

extension JobFeeder {
    /// What the timer task remembers between its rounds.
    struct Housekeeping {
        var servedModels: Set<String> = []
        /// Models that lines wait for and no pool serves, since when.
        var unserved: [String: WallTime] = [:]
        var nextSweep = WallTime(milliseconds: 0)
    }

    /// The timer task: due retries, closing windows, the store's health, models without a pool. Sleeps until the next
    /// of them is due or something is due earlier.
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
        guard let waiting = try? await world.store.waitingModels() else { return }
        let now = world.clock.wall()
        let missing = waiting.filter { !served.contains($0) }
        keeping.unserved = Dictionary(
            uniqueKeysWithValues: missing.map { ($0, keeping.unserved[$0] ?? now) })
        for model in missing {
            guard let since = keeping.unserved[model], now - since >= settings.modelGrace else { continue }
            await fail(model)
        }
    }

    /// Ends the lines of a model that no pool came to serve.
    private func fail(_ model: String) async {
        let fault = JobFault(
            code: "model_not_found",
            message: "No pool serves the model '\(model)'; waited \(Int(settings.modelGrace.components.seconds)) s.")
        while !Task.isCancelled {
            guard let failed = try? await world.store.failLines(model: model, fault: fault, now: world.clock.wall())
            else { return }
            for batch in failed.drained { inbox.add(publishing: batch) }
            if failed.count == 0 { return }
        }
    }
}
