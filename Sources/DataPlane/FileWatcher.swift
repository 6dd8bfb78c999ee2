import NIOPosix
import ServiceLifecycle

/// Looks at a file every `interval`, so that a changed one comes into use without a signal.
package struct FileWatcher: Service {
    private let interval: Duration
    private let reloadIfChanged: @Sendable () -> Void

    /// `interval`: how long a change may go unseen. `reloadIfChanged` may block; it is called off the event loops.
    package init(interval: Duration, reloadIfChanged: @escaping @Sendable () -> Void) {
        self.interval = interval
        self.reloadIfChanged = reloadIfChanged
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                if Task.isCancelled { return }
                try await NIOThreadPool.singleton.runIfActive { reloadIfChanged() }
            }
        }
    }
}
