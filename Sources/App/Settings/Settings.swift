import ControlPlane
import DataPlane
import FleetTracking
import JobDispatching
import JobStores
import SchedulerRuntime
import Scheduling

/// Everything that `neap serve` is told, checked.
struct Settings: Sendable {
    var host: String
    var port: Int
    var allowsAnyone: Bool
    var certificateFile: String?
    var privateKeyFile: String?
    /// At least 1.
    var eventLoops: Int
    var dataDirectory: String
    var keysFile: String?
    var keysInterval: Duration
    var logLevel: String
    /// Nil: off.
    var accessLog: LineLogSettings.Target?
    var traceLog: LineLogSettings.Target?
    var watch: WatchSettings
    var scheduler: SchedulerSettings
    /// Queues, picking, retries, ejection: the same for every pool.
    var scheduling: PoolSettings
    var relay: RelaySettings
    var control: ControlPlaneSettings
    var store: StoreSettings
    var feeder: FeederSettings
    var pools: [PoolDescription]
    /// Where each of `pools` is written; nil: nowhere in particular.
    var poolPlaces: [SettingOrigin?]

    var listenerTLS: ListenerTLS? {
        guard let certificateFile, let privateKeyFile else { return nil }
        return ListenerTLS(certificateFile: certificateFile, keyFile: privateKeyFile)
    }

    /// Every setting there is, in the order of the reference.
    static let descriptors: [SettingDescriptor] =
        ProcessSettings.descriptors + PoolCatalogue.descriptors + SchedulingCatalogue.pool.map(\.descriptor)
        + SchedulingCatalogue.scheduler.map(\.descriptor) + WatchCatalogue.settings.map(\.descriptor)
        + LimitsCatalogue.descriptors
}

/// All that is wrong with a configuration.
struct SettingsFaults: Error, Sendable {
    var faults: [SettingsFault]
    var text: String { faults.map(\.text).joined(separator: "\n") }
}
