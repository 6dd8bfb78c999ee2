/// What we had in flight on one endpoint at recent instants, to compare a late sample with its own time.
package struct LoadHistory: Sendable {
    /// A load and the instant since which it held.
    private struct Entry {
        var at: Instant
        var load: OwnLoad
        /// The highest values within the millisecond that this entry stands for.
        var peak: OwnLoad
    }

    private var entries = RingQueue<Entry>()
    private let limit: Int
    private static let grain = Duration.milliseconds(1)

    package init(limit: Int) { self.limit = max(2, limit) }

    /// Our load changed.
    package mutating func record(_ load: OwnLoad, at now: Instant) {
        if let last = entries.last, now - last.at < LoadHistory.grain {
            entries[entries.count - 1].load = load
            entries[entries.count - 1].peak = OwnLoad(
                sequences: max(last.peak.sequences, load.sequences),
                residentTokens: max(last.peak.residentTokens, load.residentTokens))
            return
        }
        if entries.count >= limit { _ = entries.popFirst() }
        entries.append(Entry(at: now, load: load, peak: load))
    }

    /// The highest values between two instants, both included; zero when nothing is known.
    package func peak(from start: Instant, to end: Instant) -> OwnLoad {
        var peak = OwnLoad()
        var index = entries.count - 1
        while index >= 0 {
            let entry = entries[index]
            if entry.at <= end {
                peak.sequences = max(peak.sequences, entry.peak.sequences)
                peak.residentTokens = max(peak.residentTokens, entry.peak.residentTokens)
            }
            if entry.at <= start { break }
            index -= 1
        }
        return peak
    }
}

/// Our own part of an endpoint's load.
package struct OwnLoad: Sendable, Equatable {
    package var sequences = 0
    /// Prompt tokens and output tokens seen so far.
    package var residentTokens = 0

    package init(sequences: Int = 0, residentTokens: Int = 0) {
        self.sequences = sequences
        self.residentTokens = residentTokens
    }
}
