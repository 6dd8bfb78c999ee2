import JobStores
import ServiceLifecycle

/// Closes the store after everybody who uses it has ended: it stands before them in the order of services.
struct StoreKeeper: Service {
    let store: any JobStore

    func run() async throws {
        try? await gracefulShutdown()
        await store.close()
    }
}
