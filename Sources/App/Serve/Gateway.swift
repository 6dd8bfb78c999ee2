import ControlPlane
import DataPlane
import FleetTracking
import JobDispatching
import JobLifecycle
import JobStores
import Logging
import NIOCore
import NIOPosix
import SchedulerRuntime
import Scheduling
import ServiceLifecycle

/// `neap serve` put together: every room once, in the order in which they depend on each other.
struct Gateway: Sendable {
    let settings: Settings
    let fleet: GatewayFleet
    let telemetry: GatewayTelemetry
    let store: any JobStore
    let keys: KeyFileSource?
    let listener: GatewayListener
    let bridge: ControlBridge
    let routes: ControlRoutes
    let feeder: JobFeeder
    let logger: Logger

    init(_ settings: Settings, logger: Logger) throws {
        self.settings = settings
        self.logger = logger
        let group = MultiThreadedEventLoopGroup(numberOfThreads: settings.eventLoops)
        fleet = GatewayFleet(settings, group: group, logger: logger)
        telemetry = try GatewayTelemetry(settings, fleet: fleet, logger: logger)
        store = try SQLiteJobStore.open(path: settings.dataDirectory, settings: settings.store)
        keys = try settings.keysFile.map { path in
            do {
                return try KeyFileSource(path: path, logger: logger)
            } catch {
                throw GatewayFault(reason: "keys.file \(path): \(error)")
            }
        }
        let console = GatewayConsole(fleet: fleet, telemetry: telemetry, store: store)
        let build = BuildInfo(version: Version.text)
        routes = ControlRoutes(
            .init(
                console: console, store: store, build: build, settings: settings.control, logger: logger,
                now: { Gateway.wallTime() }))
        bridge = ControlBridge(
            surface: routes.surface, limit: settings.relay.controlRequests, reserve: settings.relay.controlReserve,
            logger: logger)
        let prefix = PromptPrefix()
        let services = RelayServices(
            host: fleet.host, directory: fleet.directory, names: fleet.names, sink: telemetry.sink,
            identity: keys?.table ?? AnyKey(), prefixChain: { prefix.blocks($0, $1, $2) }, settings: settings.relay,
            gaps: telemetry.telemetry.gaps, logger: logger)
        listener = try GatewayListener(
            binding: .init(host: settings.host, port: settings.port, tls: settings.listenerTLS), group: group,
            services: services, bridge: bridge)
        feeder = Gateway.makeFeeder(
            settings, fleet: fleet, store: store, port: listener.jobs, prefix: prefix, logger: logger)
        telemetry.addSources(fleet: fleet, store: store, listener: listener, settings: settings)
        let feeder = feeder
        fleet.registry.onDirectoryChange { feeder.directoryChanged() }
        fleet.host.receiveClaims { pool, model, limit in feeder.receiveClaim(pool, model, limit: limit) }
        let (routes, keys) = (routes, keys)
        telemetry.telemetry.addSource {
            let keyFile = keys.map { MetricFamily(MetricCatalogue.keyFileFailures, Double($0.failures)) }
            let held = MetricFamily(MetricCatalogue.heldJobBytes, Double(feeder.heldBytes))
            return routes.metrics() + [held] + (keyFile.map { [$0] } ?? [])
        }
    }

    /// Tells the scheduler of pools and endpoints; from then on they are watched.
    func start() { fleet.registry.apply(settings.pools) }

    private static func makeFeeder(
        _ settings: Settings, fleet: GatewayFleet, store: any JobStore, port: any JobPort, prefix: PromptPrefix,
        logger: Logger
    ) -> JobFeeder {
        let (host, directory, names) = (fleet.host, fleet.directory, fleet.names)
        var world = FeederWorld(
            store: store, port: port, submit: { host.submit($0) }, directory: { directory.current },
            tenant: { names.tenant($0) }, log: logger)
        world.prefix = { prefix.blocks($0, $1, $2) }
        return JobFeeder(world: world, settings: settings.feeder)
    }

    static func wallTime() -> WallTime { FeederClock.system.wall() }
}

/// Why the gateway cannot start. One line for the person at the terminal.
struct GatewayFault: Error, Sendable {
    var reason: String
}
