/// How long the scheduler's lock was held, in buckets. Written under that lock, so it needs none of its own.
package struct HoldTimes: Sendable, Equatable {
    /// Upper bounds of the buckets in nanoseconds; one bucket more takes what is above the last.
    package static let bounds: [Int64] = [
        500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 5_000_000, 20_000_000,
    ]

    package private(set) var counts = [UInt64](repeating: 0, count: HoldTimes.bounds.count + 1)
    package private(set) var totalNanoseconds: UInt64 = 0

    package init() {}

    mutating func record(nanoseconds: Int64) {
        var bucket = 0
        while bucket < HoldTimes.bounds.count, nanoseconds > HoldTimes.bounds[bucket] { bucket += 1 }
        counts[bucket] &+= 1
        totalNanoseconds &+= UInt64(max(0, nanoseconds))
    }
}
