package import JobStores

/// Progress of async work at one moment.
package struct DispatchOverview: Sendable {
    package var store: StoreOverview
    /// Jobs with the scheduler or an engine, for each batch of `store.batches`.
    package var running: [Int]
    package var runningTotal: Int

    package init(store: StoreOverview, running: [Int], runningTotal: Int) {
        self.store = store
        self.running = running
        self.runningTotal = runningTotal
    }
}
