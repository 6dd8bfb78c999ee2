import NIOPosix
import ServiceLifecycle

/// Looks at the listener's certificate files every `interval` and takes changed ones into use.
package struct CertificateWatcher: Service {
    private let listener: GatewayListener
    private let interval: Duration

    package init(listener: GatewayListener, interval: Duration = .seconds(10)) {
        self.listener = listener
        self.interval = interval
    }

    package func run() async throws {
        try await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: interval)
                if Task.isCancelled { return }
                try await NIOThreadPool.singleton.runIfActive { listener.reloadCertificates() }
            }
        }
    }
}
