import NIOPosix
import ServiceLifecycle

/// Looks at the key file every `interval` and takes a changed one into use.
package struct KeyFileWatcher: Service {
    private let source: KeyFileSource
    private let interval: Duration

    /// `interval`: how long a change may go unseen. SIGHUP calls `KeyFileSource.reload` at once.
    package init(source: KeyFileSource, interval: Duration = .seconds(2)) {
        self.source = source
        self.interval = interval
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                if Task.isCancelled { return }
                try await NIOThreadPool.singleton.runIfActive { source.reloadIfChanged() }
            }
        }
    }
}
