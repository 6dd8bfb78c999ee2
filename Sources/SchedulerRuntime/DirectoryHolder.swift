package import FleetTracking
import Synchronization

/// The directory in force. Readers take a snapshot; a reload or a learned model replaces it as a whole.
package final class DirectoryHolder: Sendable {
    private let directory: Mutex<Directory>
    private let changes = Atomic<Int>(0)

    package init(_ directory: Directory = Directory()) { self.directory = Mutex(directory) }

    /// The snapshot in force; take it once for each request.
    package var current: Directory { directory.withLock { $0 } }

    /// Another number after each change; cheap to ask for. Read it before `current` to learn later whether that
    /// snapshot is still the one in force.
    package var version: Int { changes.load(ordering: .acquiring) }

    /// Replaces the snapshot by what `change` makes of it. One change at a time.
    package func update<Value: Sendable>(_ change: (inout Directory) -> sending Value) -> Value {
        directory.withLock { directory in
            defer { changes.add(1, ordering: .releasing) }
            return change(&directory)
        }
    }
}

extension Directory {
    package func endpoint(_ id: EndpointID) -> EndpointEntry? {
        endpoints.indices.contains(id.index) ? endpoints[id.index] : nil
    }

    package func pool(_ id: PoolID) -> PoolEntry? { pools.indices.contains(id.index) ? pools[id.index] : nil }
}
