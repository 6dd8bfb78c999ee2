import JobLifecycle
import JobStores

/// The batches that the page shows: all open ones, and those that ended while somebody watched.
struct BatchBoard: Sendable {
    /// Ended batches that stay visible.
    static let endedShown = 8

    private(set) var open: [StoreOverview.Line] = []
    private(set) var omitted = 0
    /// The store was asked at least once.
    private(set) var isKnown = false
    private(set) var ended: [Batch] = []

    /// Takes what is open now; returns what was open before and is not any more, to be looked up.
    mutating func update(_ overview: StoreOverview) -> [Batch] {
        let present = Set(overview.batches.map(\.batch.id))
        let gone = open.map(\.batch).filter { !present.contains($0.id) }
        isKnown = true
        open = overview.batches
        omitted = overview.omitted
        // Beyond the overview's own limit, a batch may leave the list without having ended.
        return omitted == 0 ? gone : []
    }

    mutating func add(ended batch: Batch) {
        guard batch.state.isFinal else { return }
        ended.insert(batch, at: 0)
        if ended.count > BatchBoard.endedShown { ended.removeLast(ended.count - BatchBoard.endedShown) }
    }
}
