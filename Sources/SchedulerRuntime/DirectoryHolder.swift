package import FleetTracking
import Synchronization

/// The directory in force. Readers take a snapshot; a reload or a learned model replaces it as a whole.
package final class DirectoryHolder: Sendable {
    private let directory: Mutex<Directory>

    package init(_ directory: Directory = Directory()) { self.directory = Mutex(directory) }

    /// The snapshot in force; take it once for each request.
    package var current: Directory { directory.withLock { $0 } }

    /// Replaces the snapshot by what `change` makes of it. One change at a time.
    package func update<Value: Sendable>(_ change: (inout Directory) -> sending Value) -> Value {
        directory.withLock { change(&$0) }
    }
}

extension Directory {
    package func endpoint(_ id: EndpointID) -> EndpointEntry? {
        endpoints.indices.contains(id.index) ? endpoints[id.index] : nil
    }

    package func pool(_ id: PoolID) -> PoolEntry? { pools.indices.contains(id.index) ? pools[id.index] : nil }
}
