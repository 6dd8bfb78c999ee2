import FleetTracking

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

    /// So many faults of all kinds on some of so many endpoints, that begin within `span` (nanoseconds) or soon after.
    package static func random(_ count: Int, endpoints: Int, span: Int64, seed: UInt64) -> [EngineFault] {
        var generator = SeededGenerator(seed: seed)
        let milliseconds = Int(min(1_000_000_000_000, max(0, span) / 1_000_000))
        return (0..<count).map { _ in
            EngineFault(
                Kind.allCases[generator.below(Kind.allCases.count)], endpoint: generator.below(endpoints),
                at: .milliseconds(generator.below(milliseconds + 2000)),
                lasts: .milliseconds(generator.below(milliseconds / 4 + 5000)))
        }
    }
}
