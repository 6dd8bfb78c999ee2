import FleetTracking
import Logging
import NIOCore
import NIOPosix
import SchedulerRuntime
import Scheduling

/// The scheduler's host and all that it knows of the fleet.
struct GatewayFleet: Sendable {
    let host: SchedulerHost
    let directory: DirectoryHolder
    let names: Names
    let registry: EndpointRegistry
    let readiness: Readiness
    let watch: EndpointWatch

    /// The loops of `group` become the homes of works, in the group's order.
    init(_ settings: Settings, group: MultiThreadedEventLoopGroup, logger: Logger) {
        let scheduler = Scheduler(
            settings: settings.scheduler, seed: .random(in: .min ... .max),
            pools: settings.pools.map { _ in settings.scheduling })
        host = SchedulerHost(scheduler: scheduler, loops: Array(group.makeIterator()))
        directory = DirectoryHolder()
        names = Names()
        registry = EndpointRegistry(host: host, directory: directory, names: names)
        readiness = Readiness()
        watch = EndpointWatch(
            settings: settings.watch, registry: registry, host: host, readiness: readiness, logger: logger)
    }
}
