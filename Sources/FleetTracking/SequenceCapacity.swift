/// How many sequences an engine runs at once: configured or assumed, corrected downward by samples that show work
/// waiting at an unchanged number of running ones, and upward again when nothing waits.
package struct SequenceCapacity: Sendable {
    /// The most that is ever assumed.
    package private(set) var ceiling: Int
    private let settings: CapacitySettings
    /// Nobody said how many the engine runs.
    private var isAssumed: Bool
    /// The most sequences that a sample showed running.
    private var shown = 0
    private var learned: Double?
    private var streak = 0
    private var streakRunning = 0
    private var observedAt: Instant?

    package init(configured: Int?, settings: CapacitySettings) {
        ceiling = max(1, configured ?? settings.maximumSequences)
        self.settings = settings
        isAssumed = configured == nil
    }

    /// Another number is configured, or none any more (nil). A limit that was learned below the old one is forgotten:
    /// engines get another number when they are set up anew.
    mutating func configure(_ configured: Int?) {
        let wanted = max(1, configured ?? settings.maximumSequences)
        isAssumed = configured == nil
        guard wanted != ceiling else { return }
        ceiling = wanted
        learned = nil
        streak = 0
    }

    /// The limit in force for jobs. An engine of unknown size must show what it runs before it gets more: a job that
    /// it only queues stands before every real-time request that comes later, and cannot be taken back unharmed. Twice
    /// of what it showed leaves room to show more.
    package var jobSequences: Int {
        guard isAssumed else { return sequences }
        return min(sequences, max(settings.unprovenSequences, shown * 2))
    }

    /// The limit in force.
    package var sequences: Int {
        guard let learned else { return ceiling }
        return max(1, min(ceiling, Int(learned)))
    }

    /// One sample's counts.
    package struct Counts: Sendable {
        package var running: Int
        package var waiting: Int
        /// 0…1; 0 when unknown.
        package var kvUse: Double
        /// More prompt tokens of ours await prefill than fit one step, so that waiting work is nothing strange.
        package var isPrefillBound: Bool

        package init(running: Int, waiting: Int, kvUse: Double = 0, isPrefillBound: Bool = false) {
            self.running = running
            self.waiting = waiting
            self.kvUse = kvUse
            self.isPrefillBound = isPrefillBound
        }
    }

    package mutating func observe(_ counts: Counts, at now: Instant) {
        let running = counts.running
        shown = max(shown, running)
        let elapsed = observedAt.map { min(5, (now - $0).seconds) } ?? 0
        observedAt = now
        guard counts.waiting > 0 else {
            streak = 0
            recover(running: running, elapsed: elapsed)
            return
        }
        guard running > 0, counts.kvUse < settings.kvBound, !counts.isPrefillBound else {
            streak = 0
            return
        }
        let tolerance = max(1, streakRunning / 20)
        if streak > 0, abs(running - streakRunning) <= tolerance {
            streak += 1
            streakRunning = max(streakRunning, running)
        } else {
            streak = 1
            streakRunning = running
        }
        if streak >= settings.confirmations, streakRunning < sequences { learned = Double(streakRunning) }
    }

    /// Nothing waits: rise slowly, and quickly where the limit itself keeps the engine from showing more.
    private mutating func recover(running: Int, elapsed: Double) {
        guard var limit = learned else { return }
        limit += max(limit * settings.recoveryPerSecond, 0.2) * elapsed
        if running + 1 >= Int(limit) { limit += max(1, limit / 8) }
        learned = limit >= Double(ceiling) ? nil : limit
    }
}
