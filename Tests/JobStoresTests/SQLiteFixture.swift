import Foundation
import JobLifecycle
import JobStores

/// A folder of its own for one test, removed with the value.
final class SQLiteFixture: StoreFixture {
    let path: String

    init() {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("neap-store-\(UUID().uuidString)").path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func open(_ settings: StoreSettings = StoreSettings()) async throws -> any JobStore {
        try SQLiteJobStore.open(path: path, settings: settings)
    }

    /// The folder as a kill at this moment would leave it, for another store to open.
    func copyAsCrashed() throws -> SQLiteFixture {
        let copy = SQLiteFixture()
        try FileManager.default.copyItem(atPath: path, toPath: copy.path)
        return copy
    }
}
