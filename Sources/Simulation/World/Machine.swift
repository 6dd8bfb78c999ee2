import EngineModel
import FleetTracking

/// One simulated engine and what the world knows of it.
struct Machine {
    let settings: EngineSettings
    var engine: BatchingEngine
    /// Counts its restarts: what was planned for an earlier life is void.
    var life = 0
    var isStepping = false
    var isReporting = false
    var isDead = false
    var slowness = 1.0
    var stalledUntil = Instant.zero
    var areScrapesStale = false
    var areScrapesAbsent = false
    var stepEndedAt = Instant.zero
    var lastSample: EngineSample?
    /// Visits by the index of their sequence; -1: none.
    private var visits: [Int32] = []
    /// Sent there and not ended.
    var inFlight = 0
    /// Prompt tokens that it computed and output tokens.
    var computedTokens = 0

    init(_ profile: EngineProfile, noise: Double, seed: UInt64) {
        var settings = EngineSettings(profile: profile)
        settings.generatesContent = false
        settings.noiseSigma = noise
        settings.seed = seed
        self.settings = settings
        engine = BatchingEngine(settings: settings)
    }

    /// A new engine with an empty cache. Returns the visits that were in the old one.
    mutating func restart() -> [Int] {
        let lost = visits.filter { $0 >= 0 }.map { Int($0) }
        visits = []
        engine = BatchingEngine(settings: settings)
        life += 1
        isStepping = false
        return lost
    }

    subscript(sequence index: Int) -> Int? {
        get { index < visits.count && visits[index] >= 0 ? Int(visits[index]) : nil }
        set {
            while visits.count <= index { visits.append(-1) }
            visits[index] = newValue.map { Int32(truncatingIfNeeded: $0) } ?? -1
        }
    }

    func sample(at now: Instant) -> EngineSample {
        let gauges = engine.gauges
        var sample = EngineSample(takenAt: now)
        sample.running = gauges.running
        sample.waiting = gauges.waiting
        sample.kvUse = gauges.kvUse
        sample.blockSize = settings.blockSize
        sample.blocks = settings.blocks
        sample.prefixQueries = Double(engine.counters.prefixQueries)
        sample.prefixHits = Double(engine.counters.prefixHits)
        sample.preemptions = Double(engine.counters.preempted)
        return sample
    }
}
