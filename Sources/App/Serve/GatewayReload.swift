import DataPlane
import FleetTracking
import Logging
import SchedulerRuntime

/// Reads the configuration again and takes over what can change while the gateway runs. A configuration that cannot be
/// used, or that names other pools, changes nothing.
struct GatewayReload: Sendable {
    let gateway: Gateway
    let sources: SettingsSources

    func run() async {
        let logger = gateway.logger
        gateway.telemetry.reopenLogs()
        gateway.keys?.reload()
        gateway.listener.reloadCertificates()
        do throws(SettingsFaults) {
            let settings = try sources.load()
            if let refusal = GatewayReload.refusal(from: gateway.settings, to: settings) {
                throw SettingsFaults(faults: [refusal])
            }
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

    /// Pools stay as they are while the gateway runs: queues, accounts and running work hang on them. To take in a part
    /// of such a configuration would take the engines of a renamed pool out of service, so all of it is refused.
    static func refusal(from old: Settings, to new: Settings) -> SettingsFault? {
        let (running, wanted) = (old.pools.map(\.name), new.pools.map(\.name))
        let allowed =
            "the running pools, \(running.joined(separator: ", ")): pools cannot be added, removed or renamed while the "
            + "gateway runs. Endpoints, models and the other settings of a pool can. For other pools restart the "
            + "gateway; batches go on after it"
        for (index, name) in wanted.enumerated() where !running.contains(name) {
            return SettingsFault(
                origin: new.poolPlaces.indices.contains(index) ? new.poolPlaces[index] : nil,
                key: "pools[\(index)].name", found: "\"\(name)\"", allowed: allowed)
        }
        for name in running where !wanted.contains(name) {
            return SettingsFault(origin: nil, key: "pools", found: "no pool \"\(name)\"", allowed: allowed)
        }
        return nil
    }

    /// Keys that differ and are read at the start only: all but those of pools, and the contents of the files named.
    static func needRestart(from old: Settings, to new: Settings) -> [String] {
        var keys: [String] = []
        func compare<Value: Equatable>(_ setting: SettingDescriptor, _ path: KeyPath<Settings, Value>) {
            if old[keyPath: path] != new[keyPath: path] { keys.append(setting.key) }
        }
        func compare<Root>(_ settings: [BoundSetting<Root>], _ path: KeyPath<Settings, Root>) {
            keys += settings.filter { $0.differs(old[keyPath: path], new[keyPath: path]) }.map(\.descriptor.key)
        }
        compare(ProcessSettings.host.descriptor, \.host)
        compare(ProcessSettings.port.descriptor, \.port)
        compare(ProcessSettings.insecureAny.descriptor, \.allowsAnyone)
        compare(ProcessSettings.certificate.descriptor, \.certificateFile)
        compare(ProcessSettings.privateKey.descriptor, \.privateKeyFile)
        compare(ProcessSettings.eventLoops.descriptor, \.eventLoops)
        compare(ProcessSettings.dataDirectory.descriptor, \.dataDirectory)
        compare(ProcessSettings.keysFile.descriptor, \.keysFile)
        compare(ProcessSettings.keysInterval.descriptor, \.keysInterval)
        compare(ProcessSettings.logLevel.descriptor, \.logLevel)
        compare(ProcessSettings.accessLog.descriptor, \.accessLog)
        compare(ProcessSettings.traceLog.descriptor, \.traceLog)
        compare(SchedulingCatalogue.pool, \.scheduling)
        compare(SchedulingCatalogue.scheduler, \.scheduler)
        compare(WatchCatalogue.settings, \.watch)
        compare(LimitsCatalogue.relay, \.relay)
        compare(LimitsCatalogue.control, \.control)
        compare(LimitsCatalogue.store, \.store)
        compare(LimitsCatalogue.feeder, \.feeder)
        return keys
    }
}
