import DataPlane
import FleetTracking
import JobLifecycle
import JobStores
import Logging

extension JobFeeder {
    /// A batch is to end before its lines did: withdraws what runs; the last one to answer lets it be published.
    func close(_ batch: BatchID) {
        let (works, isIdle) = running.close(batch)
        for work in works { world.port.withdraw(work) }
        // One of them may wait for memory to be placed.
        room.raise()
        if isIdle { inbox.add(publishing: batch) }
    }

    /// The endings task: writes the files of batches, then removes what they leave.
    func publishBatches() async {
        while !Task.isCancelled {
            if let batch = inbox.nextPublishing() {
                await publish(batch)
                continue
            }
            let hasMore = (try? await world.store.sweep(now: world.clock.wall())) ?? false
            if !hasMore { await inbox.publishSignal.wait() }
        }
    }

    private func publish(_ batch: BatchID) async {
        do throws(StoreFailure) {
            let done = try await world.store.publish(batch, now: world.clock.wall())
            running.forget(batch)
            world.batchEnded(done)
            world.log.info(
                "batch ended",
                metadata: [
                    "batch": "\(batch.text)", "status": "\(done.state.rawValue)", "total": "\(done.counts.total)",
                    "completed": "\(done.counts.completed)", "failed": "\(done.counts.failed)",
                ])
        } catch {
            // Conflict: it was published before, by an earlier life or an earlier wish. Not found: it is gone.
            if error.code != .unavailable && error.code != .limitReached { return running.forget(batch) }
            await waitForStore("a batch could not be published yet", error, ["batch": "\(batch.text)"])
            inbox.add(publishing: batch)
        }
    }
}
