/// How endpoints are watched. Every wait and every answer is bounded.
package struct WatchSettings: Sendable {
    /// Between two scrapes of an engine's metrics, ±10 % so that many engines are not asked at once.
    package var scrapeInterval: Duration = .seconds(1)
    /// Between two health checks of an engine that is well; an unwell one is asked at every scrape interval.
    package var healthInterval: Duration = .seconds(5)
    /// Between two readings of an engine's model list; also read when it comes back, and soon again after a failure.
    package var modelsInterval: Duration = .seconds(60)
    /// An engine without `/metrics` (404) is asked again after this long.
    package var absentMetricsInterval: Duration = .seconds(60)
    /// Limits of one request, connecting included.
    package var scrapeTimeout: Duration = .seconds(2)
    package var healthTimeout: Duration = .seconds(2)
    package var modelsTimeout: Duration = .seconds(5)
    /// The most bytes of an answer that are read.
    package var metricsLimitBytes = 8 * 1024 * 1024
    package var modelsLimitBytes = 4 * 1024 * 1024
    package var healthLimitBytes = 64 * 1024

    package init() {}
}
