/// Everything known about one endpoint: what we have there, what its samples say, and whether it is in rotation.
package struct Endpoint: Sendable {
    package let id: EndpointID
    package let pool: PoolID
    var isPresent = true
    /// The id was given out; it is not given out again.
    var wasUsed = true
    package internal(set) var models: [ModelID]
    package internal(set) var isDraining = false
    /// Left the configuration; its last works run to their end.
    package internal(set) var isRemoved = false
    package internal(set) var health: EndpointHealth
    package internal(set) var fullness: Fullness
    var trials = ReturnTrials()
    package internal(set) var capacity: SequenceCapacity
    /// Tokens the engine handles in one step.
    package private(set) var batchTokens: Int
    /// KV capacity in tokens; nil: unknown.
    package internal(set) var kvTokens: Int?
    package internal(set) var realtime = BandLoad()
    package internal(set) var async = BandLoad()
    /// Prompt tokens of our works there and output tokens seen from them.
    package internal(set) var residentTokens = 0
    package internal(set) var prefill = PrefillQueue()
    /// Prompt tokens per second the engine is believed to prefill.
    package internal(set) var prefillRate: Double
    package internal(set) var foreign = ForeignLoad()
    /// From the last sample that had them.
    package internal(set) var sampledWaiting = 0
    package internal(set) var sampledKVUse: Double?
    package internal(set) var failedSamples = 0
    package internal(set) var prefix: PrefixIndex
    var history: LoadHistory
    var hasMeasuredPrefill = false
    var prefixQueries = 0.0
    /// Its answers tell how many tokens it found in its cache; such an engine says nothing where it found none.
    var tellsCached = false
    let settings: FleetSettings

    package init(_ description: EndpointDescription, settings: FleetSettings) {
        id = description.id
        pool = description.pool
        models = description.models
        health = EndpointHealth(settings: settings.ejection)
        fullness = Fullness(settings: settings.ejection)
        capacity = SequenceCapacity(configured: description.maximumSequences, settings: settings.capacity)
        batchTokens = max(1, description.batchTokens ?? settings.capacity.batchTokens)
        kvTokens = description.kvTokens
        prefillRate = max(1, settings.capacity.prefillTokensPerSecond)
        prefix = PrefixIndex(settings: settings.prefixIndex)
        if let kvTokens = description.kvTokens { prefix.setCapacity(tokens: kvTokens) }
        history = LoadHistory(limit: settings.freshness.historyEntries)
        self.settings = settings
    }

    /// Takes other limits from the configuration. What samples taught of the engine's size stays where the configured
    /// one does.
    mutating func setLimits(_ limits: EngineLimits) {
        capacity.configure(limits.maximumSequences)
        batchTokens = max(1, limits.batchTokens ?? settings.capacity.batchTokens)
    }

    package func load(_ band: Band) -> BandLoad { band == .realtime ? realtime : async }

    /// Our works there, of both bands.
    package var works: Int { realtime.works + async.works }

    /// Our sequences there, of both bands.
    package var ownSequences: Int { realtime.sequences + async.sequences }

    @inline(__always)
    package func isStale(at now: Instant) -> Bool { foreign.isStale(at: now, freshness: settings.freshness) }

    /// Sequences of others, as far as this band counts them.
    @inline(__always)
    package func foreignSequences(for band: Band, at now: Instant) -> Int {
        scaled(foreign.sequences, for: band, at: now)
    }

    /// KV tokens of others, as far as this band counts them.
    @inline(__always)
    package func foreignKV(for band: Band, at now: Instant) -> Int { scaled(foreign.kvTokens, for: band, at: now) }

    /// Share of KV in use, 0…1, as far as it is known; 0 when unknown.
    @inline(__always)
    package func kvUse(at now: Instant) -> Double {
        if let kvTokens, kvTokens > 0 {
            return min(1, Double(residentTokens + foreignKV(for: .realtime, at: now)) / Double(kvTokens))
        }
        return isStale(at: now) ? 0 : sampledKVUse ?? 0
    }

    @inline(__always)
    private func scaled(_ value: Int, for band: Band, at now: Instant) -> Int {
        guard value > 0 else { return 0 }
        return Int((Double(value) * foreign.share(for: band, at: now, freshness: settings.freshness)).rounded())
    }
}
