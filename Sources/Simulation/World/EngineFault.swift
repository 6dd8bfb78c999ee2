/// What goes wrong with a simulated engine, and when.
package struct EngineFault: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Its connections break and no new one is taken until the end.
        case dies
        /// No step ends before the end.
        case stalls
        /// Steps take three times as long.
        case slows
        /// Its connections break; it is there again at once, with an empty cache.
        case restarts
        /// Scrapes repeat the last sample before the fault.
        case scrapesStale = "scrapes-stale"
        /// Scrapes fail.
        case scrapesAbsent = "scrapes-absent"
    }

    package var kind: Kind
    package var endpoint: Int
    /// From the first arrival.
    package var at: Duration
    package var lasts: Duration

    package init(_ kind: Kind, endpoint: Int, at: Duration, lasts: Duration) {
        self.kind = kind
        self.endpoint = endpoint
        self.at = at
        self.lasts = lasts
    }
}
