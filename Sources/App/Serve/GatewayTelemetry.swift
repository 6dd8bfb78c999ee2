import DataPlane
import FleetTracking
import JobStores
import Logging
import SchedulerRuntime
import Scheduling

/// Figures and logs of `neap serve`.
struct GatewayTelemetry: Sendable {
    let telemetry: Telemetry
    let recent: RecentRequests
    let reloads = ReloadCount()
    let accessLines: LineLog?
    let traceLines: LineLog?
    let sink: any RecordSink

    /// Throws when a log file cannot be opened.
    init(_ settings: Settings, fleet: GatewayFleet, logger: Logger) throws {
        let telemetry = Telemetry(shards: settings.eventLoops, directory: fleet.directory)
        self.telemetry = telemetry
        recent = RecentRequests(limit: settings.scheduler.decisionsKept)
        let wallClock = WallClock()
        accessLines = try GatewayTelemetry.lines(settings.accessLog, settings, wallClock, logger)
        traceLines = try GatewayTelemetry.lines(settings.traceLog, settings, wallClock, logger)
        var sinks: [any RecordSink] = [telemetry, recent]
        if let accessLines {
            sinks.append(AccessLog(lines: accessLines, directory: fleet.directory, wallClock: wallClock))
        }
        if let traceLines { sinks.append(TraceLog(lines: traceLines, start: fleet.host.clock.now())) }
        sink = RecordSinks(sinks)
        fleet.host.receiveObservations { telemetry.observe($0) }
    }

    private static func lines(
        _ target: LineLogSettings.Target?, _ settings: Settings, _ wallClock: WallClock, _ logger: Logger
    ) throws -> LineLog? {
        guard let target else { return nil }
        do {
            return try LineLog(
                settings: LineLogSettings(target: target), shards: settings.eventLoops, wallClock: wallClock,
                logger: logger)
        } catch let failure as LogFile.Failure {
            throw GatewayFault(reason: "log file \(failure.text)")
        }
    }

    /// What others hold and `/metrics` shows.
    func addSources(fleet: GatewayFleet, store: any JobStore, listener: GatewayListener, settings: Settings) {
        let (host, registry, directory) = (fleet.host, fleet.registry, fleet.directory)
        telemetry.addSource { GaugeSources.build(version: Version.text) + GaugeSources.process() }
        let reloads = reloads
        telemetry.addSource { reloads.families() }
        telemetry.addSource { GaugeSources.lockHold(host.holdTimes()) }
        telemetry.addSource {
            GaugeSources.endpoints(registry.statuses(), directory: directory.current, now: host.clock.now())
        }
        telemetry.addSource {
            GaugeSources.scheduler(host.inspect { $0.snapshot(at: $1) }, directory: directory.current)
        }
        let (readiness, logs) = (fleet.readiness, [("access", accessLines), ("trace", traceLines)])
        telemetry.addSource {
            var report = readiness.report
            report.storeFault = store.health.fault
            return GaugeSources.readiness(report)
        }
        telemetry.addSource {
            GaugeSources.droppedLines(logs.compactMap { name, lines in lines.map { (name, $0.droppedLines) } })
        }
        telemetry.addSource {
            GaugeSources.dataPlane(
                .init(
                    connections: listener.connections.current, refusedConnections: listener.connections.refusals,
                    stalledConnections: listener.connections.stalls, bufferedBytes: listener.budget.usedBytes,
                    bufferLimitBytes: listener.budget.limit, bufferWaits: listener.budget.waits))
        }
    }

    func reopenLogs() {
        accessLines?.reopen()
        traceLines?.reopen()
    }
}

extension StoreHealth {
    /// Nil: well.
    var fault: String? {
        switch self {
        case .ok: nil
        case .unavailable(let reason): reason
        }
    }
}
