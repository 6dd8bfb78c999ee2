import DataPlane
import FleetTracking
import Logging
import SchedulerRuntime

/// Reads the configuration again and takes over what can change while the gateway runs. A configuration that cannot be
/// used changes nothing.
struct GatewayReload: Sendable {
    let gateway: Gateway
    let sources: SettingsSources

    func run() async {
        let logger = gateway.logger
        gateway.telemetry.reopenLogs()
        gateway.keys?.reload()
        gateway.listener.reloadCertificates()
        do {
            let settings = try sources.load()
            for problem in GatewayReload.needRestart(from: gateway.settings, to: settings) {
                logger.warning("a changed setting needs a restart", metadata: ["setting": "\(problem)"])
            }
            gateway.fleet.registry.apply(settings.pools)
            gateway.telemetry.reloads.count(succeeded: true)
            let endpoints = settings.pools.reduce(0) { $0 + $1.endpoints.count }
            logger.notice("configuration reloaded", metadata: ["endpoints": "\(endpoints)"])
        } catch {
            gateway.telemetry.reloads.count(succeeded: false)
            for fault in error.faults {
                logger.error(
                    "configuration not usable: the old one stays in force", metadata: ["fault": "\(fault.text)"])
            }
        }
    }

    /// Keys that differ and are read at the start only.
    static func needRestart(from old: Settings, to new: Settings) -> [String] {
        var keys: [String] = []
        func compare<Value: Equatable>(_ key: String, _ path: KeyPath<Settings, Value>) {
            if old[keyPath: path] != new[keyPath: path] { keys.append(key) }
        }
        compare("listen.host", \.host)
        compare("listen.port", \.port)
        compare("listen.tls-certificate", \.certificateFile)
        compare("runtime.event-loops", \.eventLoops)
        compare("data.directory", \.dataDirectory)
        compare("keys.file", \.keysFile)
        compare("log.access", \.accessLog)
        compare("log.trace", \.traceLog)
        let names = { (settings: Settings) in settings.pools.map(\.name) }
        if names(old) != names(new) { keys.append("pools (names and order)") }
        return keys
    }
}
