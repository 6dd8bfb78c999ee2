import DataPlane
package import Hummingbird
package import JobLifecycle
package import JobStores
package import Logging
package import SchedulerRuntime

/// The control plane put together: what `DataPlane` calls for every path that is not an engine's.
package struct ControlRoutes: Sendable {
    package let surface: RouterBridge<RouterResponder<ControlContext>>
    /// Runs beside the listener; without it the page stands still.
    package let live: LiveFeed
    private let uploads: Slots

    /// What the routes stand on.
    package struct Parts: Sendable {
        package var console: any FleetConsole
        package var store: any JobStore
        package var build: BuildInfo
        package var settings: ControlPlaneSettings
        package var logger: Logger
        package var now: @Sendable () -> WallTime

        package init(
            console: any FleetConsole, store: any JobStore, build: BuildInfo,
            settings: ControlPlaneSettings = ControlPlaneSettings(), logger: Logger,
            now: @escaping @Sendable () -> WallTime
        ) {
            self.console = console
            self.store = store
            self.build = build
            self.settings = settings
            self.logger = logger
            self.now = now
        }
    }

    package init(_ parts: Parts) {
        let console = parts.console
        live = LiveFeed(
            console: console, store: parts.store, build: parts.build, settings: parts.settings, now: parts.now)
        uploads = Slots(limit: parts.settings.uploads)
        let routes = RouteTable()
        FileRoutes(door: parts.store, settings: parts.settings, uploads: uploads, now: parts.now).add(to: routes)
        BatchRoutes(
            door: parts.store, settings: parts.settings,
            endpoints: { BatchEndpoints.allowed(console.directory) }, now: parts.now
        ).add(to: routes)
        ModelRoutes(directory: { console.directory }).add(to: routes)
        HealthRoutes(console: console, build: parts.build).add(to: routes)
        AdminRoutes(console: console, live: live).add(to: routes)
        PageRoutes().add(to: routes)
        surface = RouterBridge(responder: routes.makeResponder(), logger: parts.logger)
    }

    /// What `/metrics` shows of the control routes.
    package func metrics() -> [MetricFamily] {
        [
            MetricFamily(MetricCatalogue.uploads, Double(uploads.inUse)),
            MetricFamily(MetricCatalogue.refusedUploads, Double(uploads.refusals)),
            MetricFamily(MetricCatalogue.viewers, Double(live.viewers)),
            MetricFamily(MetricCatalogue.refusedViewers, Double(live.refusals)),
        ]
    }
}
