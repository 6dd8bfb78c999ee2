import JobStores
import Synchronization

/// What a store told its listener.
final class Heard: Sendable {
    private let changes = Mutex<[StoreChange]>([])
    func add(_ change: StoreChange) { changes.withLock { $0.append(change) } }
    var all: [StoreChange] { changes.withLock { $0 } }
}
