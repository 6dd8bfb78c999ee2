package import FleetTracking
import Synchronization

/// Gaps between the output of streams, counted by one event loop: for the metric `neap_inter_token_latency_seconds`.
///
/// Written by its loop alone, once for each read with output, so a count is a load and a store without a bus lock. A
/// scrape reads meanwhile and may see one of two counts that belong together.
package final class TokenGapShard: Sendable {
    /// Upper bounds of the buckets in nanoseconds; one bucket more takes what is above the last. Fine below 10 ms,
    /// where the engines' own histograms are not.
    static let bounds: [Int64] = [
        500_000, 1_000_000, 2_000_000, 4_000_000, 6_000_000, 8_000_000, 10_000_000, 15_000_000, 20_000_000, 25_000_000,
        30_000_000, 40_000_000, 50_000_000, 75_000_000, 100_000_000, 150_000_000, 200_000_000, 300_000_000, 500_000_000,
        1_000_000_000, 2_500_000_000, 5_000_000_000, 10_000_000_000,
    ]

    private struct Counts: ~Copyable {
        let buckets = InlineArray<24, Atomic<UInt64>> { _ in Atomic(0) }
        let nanoseconds = Atomic<UInt64>(0)
    }

    private let realtime = Counts()
    private let async = Counts()

    package init() {}

    package func record(_ nanoseconds: Int64, _ band: Band) {
        switch band {
        case .realtime: TokenGapShard.record(nanoseconds, realtime)
        case .async: TokenGapShard.record(nanoseconds, async)
        }
    }

    private static func record(_ nanoseconds: Int64, _ counts: borrowing Counts) {
        var (low, high) = (0, bounds.count)
        while low < high {
            let middle = (low + high) / 2
            if nanoseconds <= bounds[middle] { high = middle } else { low = middle + 1 }
        }
        add(1, to: counts.buckets[low])
        add(UInt64(max(0, nanoseconds)), to: counts.nanoseconds)
    }

    private static func add(_ value: UInt64, to count: borrowing Atomic<UInt64>) {
        count.store(count.load(ordering: .relaxed) &+ value, ordering: .relaxed)
    }

    /// Observations in each bucket, and the sum of all in seconds.
    func counts(_ band: Band) -> (buckets: [UInt64], seconds: Double) {
        switch band {
        case .realtime: TokenGapShard.read(realtime)
        case .async: TokenGapShard.read(async)
        }
    }

    private static func read(_ counts: borrowing Counts) -> (buckets: [UInt64], seconds: Double) {
        var buckets: [UInt64] = []
        for index in counts.buckets.indices { buckets.append(counts.buckets[index].load(ordering: .relaxed)) }
        return (buckets, Double(counts.nanoseconds.load(ordering: .relaxed)) / 1e9)
    }
}
