import JobLifecycle
import JobStores

extension FeederStage {
    /// Waits until the store holds this many delayed jobs.
    func waitUntilDelayed(_ count: Int) async {
        await waitUntil { $0.batches.reduce(0) { $0 + $1.delayed } == count }
    }

    /// Waits until this many batches are in progress.
    func waitUntilRunning(_ count: Int) async {
        await waitUntil { $0.batches.filter { $0.batch.state == .inProgress }.count == count }
    }

    private func waitUntil(_ isReached: (StoreOverview) -> Bool) async {
        while !Task.isCancelled, let overview = try? await store.overview(), !isReached(overview) {
            await Task.yield()
        }
    }

    /// Moves time in small steps until the batch ended, giving the feeder time to act on each.
    func advanceUntilEnded(_ batch: Batch) async {
        while !Task.isCancelled, !ended.all.contains(where: { $0.id == batch.id }) {
            clock.advance(by: .seconds(1))
            _ = try? await store.overview()
            await Task.yield()
        }
    }
}
