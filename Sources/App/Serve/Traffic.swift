import ControlPlane
import DataPlane
import JobDispatching
import ServiceLifecycle

/// Everything that brings or carries work. Shut down as one: while the listener waits for running requests, jobs are
/// released and the page's streams end, which would else keep connections open.
struct Traffic: Service {
    let listener: GatewayListener
    let feeder: JobFeeder
    let live: LiveFeed

    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await listener.run() }
            group.addTask { try await feeder.run() }
            group.addTask { try await live.run() }
            // The first failure leaves the loop, which cancels the others.
            for try await _ in group {}
        }
    }
}
