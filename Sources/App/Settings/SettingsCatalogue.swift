import FleetTracking
import SchedulerRuntime

/// Settings of the process: where it listens, what it writes, how it ends.
enum ProcessSettings {
    static let host = Setting(
        "listen.host", .text("an IP address or host name"), default: "127.0.0.1",
        reason: "Address to listen on. Anything but a loopback address needs `keys.file` or `listen.insecure-any`.")
    static let port = Setting(
        "listen.port", .integer(0...65_535), default: 8080,
        reason: "Port to listen on; 0 takes a free one and prints it.")
    static let insecureAny = Setting(
        "listen.insecure-any", .boolean, default: false,
        reason: "Allows a non-loopback address without keys: everybody who reaches the port may do everything.")
    static let certificate = Setting(
        "listen.tls-certificate", .text("a PEM file with the certificate chain"), default: "",
        reason: "Serves TLS with this certificate; reloaded on SIGHUP and on change. Needs `listen.tls-key`.")
    static let privateKey = Setting(
        "listen.tls-key", .text("a PEM file with the private key"), default: "",
        reason: "The certificate's private key.")
    static let eventLoops = Setting(
        "runtime.event-loops", .integer(0...256), default: 0,
        reason:
            "Threads that relay traffic; 0: one for each core. One loop carries some ten thousand requests a second.")
    static let dataDirectory = Setting(
        "data.directory", .text("a folder; made when it is not there"), default: "neap-data",
        reason: "Where files, batches and their results live. One process at a time may use it.")
    static let keysFile = Setting(
        "keys.file", .text("a file with one hashed key per line (docs/operations.md)"), default: "",
        reason: "With keys, only their holders are served and each belongs to a tenant. Without, any key is accepted.")
    static let keysInterval = Setting(
        "keys.check-interval", .duration(.milliseconds(100)...(.seconds(3600))), default: .seconds(2),
        reason: "How long a change of the key file may go unseen; SIGHUP reads it at once.")
    static let logLevel = Setting(
        "log.level", .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]), default: "info",
        reason: "The least severe messages of the process's own log, on standard error.")
    static let accessLog = Setting(
        "log.access", .text("`-` for standard output, `off`, or a file"), default: "-",
        reason: "One JSON line for each request at its end; a file is reopened on SIGHUP. Never holds prompt text.")
    static let traceLog = Setting(
        "log.trace", .text("`off` or a file"), default: "off",
        reason: "One line for each request with arrival, token counts and salted prefix hashes, for `neap simulate`.")

    static let descriptors = [
        host.descriptor, port.descriptor, insecureAny.descriptor, certificate.descriptor, privateKey.descriptor,
        eventLoops.descriptor, dataDirectory.descriptor, keysFile.descriptor, keysInterval.descriptor,
        logLevel.descriptor, accessLog.descriptor, traceLog.descriptor,
    ]
}

extension WatchSettings: DefaultedSettings {}

/// How endpoints are scraped and checked.
enum WatchCatalogue {
    private static let wait = ValueKind.duration(.milliseconds(10)...(.seconds(3600)))
    private static let answer = ValueKind.size((1 << 10)...(1 << 30))

    static let settings: [BoundSetting<WatchSettings>] = [
        BoundSetting(
            "watch.scrape-interval", \.scrapeInterval, wait,
            "Between two scrapes of an engine's `/metrics`, ±10 %. Shorter corrects own accounting sooner."),
        BoundSetting(
            "watch.scrape-timeout", \.scrapeTimeout, wait, "The longest wait for an engine's metrics."),
        BoundSetting(
            "watch.health-interval", \.healthInterval, wait,
            "Between two health checks of an engine that is well; an unwell one is asked at the scrape interval."),
        BoundSetting("watch.health-timeout", \.healthTimeout, wait, "The longest wait for a health check."),
        BoundSetting(
            "watch.models-interval", \.modelsInterval, wait,
            "Between two readings of an engine's model list; adapters loaded at run time show after this long."),
        BoundSetting("watch.models-timeout", \.modelsTimeout, wait, "The longest wait for a model list."),
        BoundSetting(
            "watch.absent-metrics-interval", \.absentMetricsInterval, wait,
            "When an engine without known metrics is asked for them again."),
        BoundSetting("watch.metrics-limit", \.metricsLimitBytes, answer, "The largest metrics page that is read."),
        BoundSetting("watch.models-limit", \.modelsLimitBytes, answer, "The largest model list that is read."),
        BoundSetting("watch.health-limit", \.healthLimitBytes, answer, "The largest health answer that is read."),
    ]
}
