import DataPlane
import Logging
import NIOCore
import SchedulerRuntime
import Scheduling
import ServiceLifecycle

/// Tells when the gateway takes connections, and marks the beginning of the drain. The last service, so that it is the
/// first to learn of a shutdown.
struct StartMark: Service {
    let gateway: Gateway

    func run() async throws {
        guard let address = await gateway.listener.address(), let port = address.port else { return }
        gateway.fleet.readiness.listening(true)
        let scheme = gateway.settings.listenerTLS == nil ? "http" : "https"
        let host = gateway.settings.host.contains(":") ? "[\(gateway.settings.host)]" : gateway.settings.host
        StandardOutput.writeError(StartMark.banner(url: "\(scheme)://\(host):\(port)", settings: gateway.settings))
        gateway.logger.notice(
            "listening", metadata: ["url": "\(scheme)://\(host):\(port)", "version": "\(Version.text)"])
        try? await gracefulShutdown()
        gateway.fleet.readiness.draining()
        // Jobs that wait go back to the store at once; those that run are the feeder's to end.
        gateway.fleet.host.submit(.shutdown)
        gateway.logger.notice("draining: no new connections, running requests go on to their end")
    }

    static func banner(url: String, settings: Settings) -> String {
        let model = settings.pools.flatMap(\.models).first ?? "MODEL"
        let key = settings.keysFile == nil ? "" : " -H 'Authorization: Bearer KEY'"
        return """
            Neap \(Version.text) listens on \(url)
              page    \(url)/
              models  curl \(url)/v1/models\(key)
              chat    curl \(url)/v1/chat/completions\(key) -H 'Content-Type: application/json' \
            -d '{"model":"\(model)","messages":[{"role":"user","content":"Hello"}]}'

            """
    }
}
