/// What others do on an endpoint, as its last sample showed: the sample less our own work at the sample's time, never
/// below zero.
package struct ForeignLoad: Sendable {
    package private(set) var sequences = 0
    package private(set) var kvTokens = 0
    /// When the last sample was taken; nil: never.
    package private(set) var sampledAt: Instant?

    package init() {}

    package mutating func set(sequences: Int, kvTokens: Int, sampledAt: Instant) {
        self.sequences = max(0, sequences)
        self.kvTokens = max(0, kvTokens)
        self.sampledAt = sampledAt
    }

    @inline(__always)
    package func isStale(at now: Instant, freshness: FreshnessSettings) -> Bool {
        guard let sampledAt else { return true }
        return now - sampledAt > freshness.staleAfter
    }

    /// How much of it a decision counts. Async counts the last known load in full however old it is; real-time counts
    /// less and less of a stale one, so that a lost scraper cannot hold traffic back for ever.
    @inline(__always)
    package func share(for band: Band, at now: Instant, freshness: FreshnessSettings) -> Double {
        guard band == .realtime, let sampledAt else { return 1 }
        let excess = (now - sampledAt - freshness.staleAfter).seconds
        guard excess > 0 else { return 1 }
        let halvings = excess / max(1e-3, freshness.foreignHalfLife.seconds)
        guard halvings < 32 else { return 0 }
        let whole = halvings.rounded(.down)
        return (1 - (halvings - whole) / 2) / Double(1 << Int(whole))
    }
}
