import ControlPlane
import DataPlane
import ServiceLifecycle

/// Everything that brings or carries work. Shut down as one: while the listener waits for running requests, jobs are
/// released and the page's streams end, which would else keep connections open.
struct Traffic: Service {
    let gateway: Gateway

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await gateway.listener.run() }
            group.addTask { try await gateway.routes.live.run() }
            try await group.waitForAll()
        }
    }
}
