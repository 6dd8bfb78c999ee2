import FleetTracking
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
    var pools: [PoolDescription]

    /// Every setting there is, in the order of the reference.
    static let descriptors: [SettingDescriptor] =
        ProcessSettings.descriptors + PoolCatalogue.descriptors + WatchCatalogue.settings.map(\.descriptor)
        + SchedulingCatalogue.scheduler.map(\.descriptor) + SchedulingCatalogue.pool.map(\.descriptor)
}

/// All that is wrong with a configuration.
struct SettingsFaults: Error, Sendable {
    var faults: [SettingsFault]
    var text: String { faults.map(\.text).joined(separator: "\n") }
}
