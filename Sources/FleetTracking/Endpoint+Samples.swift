extension Endpoint {
    /// Takes one scrape. Values out of any sense are brought into range; a sample older than the last is ignored.
    mutating func observe(_ sample: EngineSample, at now: Instant) {
        let takenAt = min(sample.takenAt, now)
        if let last = foreign.sampledAt, takenAt <= last { return }
        failedSamples = 0
        if let blocks = sample.blocks, let size = sample.blockSize, blocks > 0, size > 0 {
            let tokens = min(blocks, Endpoint.sense) * min(size, Endpoint.sense)
            kvTokens = tokens
            prefix.setCapacity(tokens: tokens)
        }
        sampledKVUse = sample.kvUse.map { $0.isFinite ? min(1, max(0, $0)) : 0 } ?? sampledKVUse
        observeCounts(sample, takenAt: takenAt, now: now)
        observeRestart(sample)
        fullness.sampled(waiting: sample.waiting.map { max(0, $0) }, takenAt: takenAt)
    }

    private mutating func observeCounts(_ sample: EngineSample, takenAt: Instant, now: Instant) {
        let slack = settings.freshness.sampleSlack
        let own = history.peak(from: takenAt - slack, to: min(now, takenAt + slack))
        let running = min(max(0, sample.running ?? 0), Endpoint.sense)
        let waiting = min(max(0, sample.waiting ?? 0), Endpoint.sense)
        var foreignKV = 0
        if let kvTokens, let use = sampledKVUse { foreignKV = Int(Double(kvTokens) * use) - own.residentTokens }
        foreign.set(sequences: running + waiting - own.sequences, kvTokens: foreignKV, sampledAt: takenAt)
        sampledWaiting = waiting
        guard sample.running != nil, sample.waiting != nil else { return }
        capacity.observe(
            SequenceCapacity.Counts(
                running: running, waiting: waiting, kvUse: sampledKVUse ?? 0,
                isPrefillBound: prefill.pending > batchTokens),
            at: now)
        if waiting == 0, prefill.pending > 0, !hasMeasuredPrefill {
            // Nothing waits although the belief says so: the engine is faster. Bounded until an answer measures it.
            prefillRate = min(prefillRate * 1.1, settings.capacity.prefillTokensPerSecond * 4)
        }
    }

    /// A counter that went back says that the engine restarted with an empty cache.
    private mutating func observeRestart(_ sample: EngineSample) {
        guard let queries = sample.prefixQueries, queries.isFinite else { return }
        if queries < prefixQueries { prefix.removeAll() }
        prefixQueries = queries
    }

    /// A streamed answer showed how long a long prompt took. Only prompts of `Endpoint.measuredTokens` or more count:
    /// shorter ones measure the network.
    mutating func observePrefill(tokens: Int, took elapsed: Duration) {
        guard tokens >= Endpoint.measuredTokens, elapsed > .milliseconds(1) else { return }
        let measured = min(1e6, Double(tokens) / elapsed.seconds)
        prefillRate = hasMeasuredPrefill ? prefillRate * 0.8 + measured * 0.2 : measured
        hasMeasuredPrefill = true
    }

    static let measuredTokens = 512
    /// No engine counts more sequences or blocks than this.
    private static let sense = 1 << 26
}
