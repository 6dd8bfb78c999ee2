import FleetTracking

/// How many retries a pool may still make: earned by first attempts and by time, so that retries never multiply a
/// failing pool's load.
struct RetryBudget: Sendable {
    private let settings: RetrySettings
    private var tokens: Double
    private var refilledAt: Instant?

    init(settings: RetrySettings) {
        self.settings = settings
        // Full at the start: an engine that is dead when the first requests come must not cost any of them.
        tokens = settings.burst
    }

    /// A first attempt was made.
    mutating func earn() { tokens = min(settings.burst, tokens + settings.share) }

    /// Takes one retry. False when none is left.
    mutating func spend(at now: Instant) -> Bool {
        if let refilledAt, now > refilledAt {
            tokens = min(settings.burst, tokens + (now - refilledAt).seconds * settings.perSecond)
        }
        refilledAt = now
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
