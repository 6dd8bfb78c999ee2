import ControlPlane
import FleetTracking
import JobStores
import SchedulerRuntime
import Scheduling
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
        let snapshot = fleet.host.inspect { $0.snapshot(at: $1) }
        let statuses = fleet.registry.statuses()
        var figures = FleetFigures()
        for (pool, state) in zip(directory.pools, snapshot.pools) {
            var shown = FleetFigures.Pool(name: pool.name)
            shown.queued = BandCounts(realtime: state.realtime.waiting, async: state.async.waiting)
            shown.endpoints = statuses.filter { $0.entry.pool == pool.id }.map { status in
                GatewayConsole.endpoint(status, snapshot.endpoints.first { $0.id == status.entry.id })
            }
            figures.pools.append(shown)
            figures.outputTokens.realtime += state.realtime.outputTokens
            figures.outputTokens.async += state.async.outputTokens
        }
        return figures
    }

    func metrics() -> [UInt8] { MetricsPage.render(telemetry.telemetry.families()) }

    func explain(requestID: String) -> [UInt8]? {
        guard let record = telemetry.recent.find(requestID) else { return nil }
        var json = JSONText()
        let decision = record.work.flatMap { work in
            fleet.host.inspect { scheduler, _ in scheduler.decision(for: work) }
        }
        json.object {
            RequestExplanation(record: record, decision: decision, directory: directory).write(to: &$0)
        }
        return json.bytes
    }

    func setDraining(_ endpoint: EndpointID, _ isDraining: Bool) -> Bool {
        fleet.registry.setDraining(endpoint, isDraining)
    }

    private static func endpoint(_ status: EndpointStatus, _ state: EndpointSnapshot?) -> FleetFigures.Endpoint {
        var shown = FleetFigures.Endpoint(
            id: status.entry.id, url: status.entry.url, kind: status.kind, state: shownState(status, state))
        shown.models = status.models.map(\.name)
        shown.sample = status.sample
        shown.fault = status.fault
        if let state {
            shown.inFlight = BandCounts(realtime: state.realtime.works, async: state.async.works)
            shown.maximumSequences = state.maximumSequences
        }
        return shown
    }

    private static func shownState(_ status: EndpointStatus, _ state: EndpointSnapshot?) -> EndpointState {
        if status.isDraining { return .draining }
        if case .ejected = state?.health { return .ejected }
        return status.isHealthy == nil && status.sample == nil ? .unknown : .healthy
    }
}
