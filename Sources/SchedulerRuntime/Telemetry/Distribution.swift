/// Observations of one quantity in buckets, and their sum.
struct Distribution: Sendable {
    private(set) var counts: [UInt64]
    private(set) var sum = 0.0

    init(bounds: [Double]) { counts = Array(repeating: 0, count: bounds.count + 1) }

    /// `bounds` must be those of the initialiser.
    mutating func record(_ value: Double, bounds: [Double]) {
        var (low, high) = (0, bounds.count)
        while low < high {
            let middle = (low + high) / 2
            if value <= bounds[middle] { high = middle } else { low = middle + 1 }
        }
        counts[low] &+= 1
        sum += value
    }

    mutating func add(_ other: Distribution) {
        for index in counts.indices { counts[index] &+= other.counts[index] }
        sum += other.sum
    }

    var isEmpty: Bool { counts.allSatisfy { $0 == 0 } }
}
