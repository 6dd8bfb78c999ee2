import ControlPlane
import FleetTracking
import JobStores
import SchedulerRuntime
import WireFormats

/// What the control routes are told of the running gateway.
struct GatewayConsole: FleetConsole {
    let fleet: GatewayFleet
    let telemetry: GatewayTelemetry
    let store: any JobStore

    var directory: Directory { fleet.directory.current }

    var readiness: Readiness.Report {
        var report = fleet.readiness.report
        report.storeFault = store.health.fault
        return report
    }

    func figures() -> FleetFigures {
        var figures = FleetFigures()
        let statuses = fleet.registry.statuses()
        for pool in directory.pools {
            var shown = FleetFigures.Pool(name: pool.name)
            shown.endpoints = statuses.filter { $0.entry.pool == pool.id }.map(GatewayConsole.endpoint)
            figures.pools.append(shown)
        }
        return figures
    }

    func metrics() -> [UInt8] { MetricsPage.render(telemetry.telemetry.families()) }

    func explain(requestID: String) -> [UInt8]? {
        guard let record = telemetry.recent.find(requestID) else { return nil }
        var json = JSONText()
        json.object { RequestExplanation(record: record, directory: directory).write(to: &$0) }
        return json.bytes
    }

    func setDraining(_ endpoint: EndpointID, _ isDraining: Bool) -> Bool {
        fleet.registry.setDraining(endpoint, isDraining)
    }

    private static func endpoint(_ status: EndpointStatus) -> FleetFigures.Endpoint {
        let state: EndpointState =
            status.isDraining
            ? .draining : status.isHealthy == nil ? .unknown : status.isHealthy == true ? .healthy : .ejected
        var shown = FleetFigures.Endpoint(
            id: status.entry.id, url: status.entry.url, kind: status.kind, state: state)
        shown.models = status.models.map(\.name)
        shown.running = status.sample?.running
        shown.waiting = status.sample?.waiting
        shown.kvUse = status.sample?.kvUse
        shown.fault = status.fault
        return shown
    }
}
