import FleetTracking

/// What to ask one endpoint next, and when. Plain state: the watch acts on it, a test steps it by hand.
///
/// Models come first, then metrics, then health. A failed scrape brings the health check forward; an endpoint that
/// comes back is asked for its models again, since it may have been restarted with others.
struct WatchPlan {
    enum Step: Equatable {
        case models
        case scrape
        case health
        case wait(until: Instant)
    }

    enum ScrapeResult: Equatable {
        case sampled
        /// The engine has no metrics that are known here (404, or no known family).
        case absent
        case failed
    }

    private let settings: WatchSettings
    private(set) var modelsDue: Instant
    private(set) var scrapeDue: Instant
    private(set) var healthDue: Instant
    private(set) var isHealthy: Bool?

    init(settings: WatchSettings, now: Instant) {
        self.settings = settings
        modelsDue = now
        scrapeDue = now
        healthDue = now
    }

    func next(now: Instant) -> Step {
        if modelsDue <= now { return .models }
        if scrapeDue <= now { return .scrape }
        if healthDue <= now { return .health }
        return .wait(until: min(modelsDue, scrapeDue, healthDue))
    }

    /// `jitter` is a factor around 1.
    mutating func modelsEnded(succeeded: Bool, now: Instant, jitter: Double) {
        modelsDue = now + (succeeded ? settings.modelsInterval : settings.scrapeInterval) * jitter
    }

    mutating func scrapeEnded(_ result: ScrapeResult, now: Instant, jitter: Double) {
        scrapeDue = now + (result == .absent ? settings.absentMetricsInterval : settings.scrapeInterval) * jitter
        if result == .failed { healthDue = now }
    }

    mutating func healthEnded(healthy: Bool, now: Instant, jitter: Double) {
        if isHealthy == false, healthy {
            modelsDue = now
            scrapeDue = now
        }
        isHealthy = healthy
        healthDue = now + (healthy ? settings.healthInterval : settings.scrapeInterval) * jitter
    }
}
