import ControlPlane
import DataPlane
import Logging
import SchedulerRuntime
import ServiceLifecycle
import UnixSignals

/// Start, reload and end of the gateway: every long-lived part is a service of one group.
///
/// Services start in this order and are shut down in reverse, each when the later ones have ended: first the mark that
/// makes `/readyz` say so, then the traffic drains, then what requests stand on ends, then the logs are written out.
struct GatewayLife: Sendable {
    let gateway: Gateway
    let sources: SettingsSources

    /// The group would write its services out, with every setting and credential in them.
    private static let silence = Logger(label: "services") { _ in SwiftLogNoOpLogHandler() }

    /// How long a changed certificate may go unseen; SIGHUP reads it at once.
    private static let certificateInterval = Duration.seconds(10)

    func run() async throws {
        let reload = GatewayReload(gateway: gateway, sources: sources)
        // First, so that it ends last: it must see a second signal during the drain.
        var services: [any Service] = [SignalWatch(reload: reload, logger: gateway.logger)]
        if let lines = gateway.telemetry.accessLines { services.append(lines) }
        if let lines = gateway.telemetry.traceLines { services.append(lines) }
        if let keys = gateway.keys {
            services.append(FileWatcher(interval: gateway.settings.keysInterval) { keys.reloadIfChanged() })
        }
        if gateway.settings.listenerTLS != nil {
            let listener = gateway.listener
            services.append(FileWatcher(interval: GatewayLife.certificateInterval) { listener.reloadCertificates() })
        }
        services += [
            StoreKeeper(store: gateway.store), gateway.fleet.watch, BridgeKeeper(bridge: gateway.bridge),
            Traffic(listener: gateway.listener, feeder: gateway.feeder, live: gateway.routes.live),
            StartMark(gateway: gateway),
        ]
        gateway.start()
        let group = ServiceGroup(
            configuration: .init(
                services: services.map {
                    .init(
                        service: $0, successTerminationBehavior: .ignore,
                        failureTerminationBehavior: .gracefullyShutdownGroup)
                },
                gracefulShutdownSignals: [.sigterm, .sigint], logger: GatewayLife.silence))
        try await group.run()
        gateway.fleet.host.stop()
        gateway.logger.notice("drained and ended")
    }
}
