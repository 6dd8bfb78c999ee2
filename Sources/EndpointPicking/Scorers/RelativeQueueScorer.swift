/// The engine's waiting queue relative to the other candidates: 1 for the shortest, 0 for the longest, 1 when all equal.
package struct RelativeQueueScorer: Scorer {
    package var name: String { "relative-queue" }

    package init() {}

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        let lengths = candidates.lazy.map(\.waiting)
        guard let shortest = lengths.min(), let longest = lengths.max() else { return }
        for index in candidates.indices {
            values[index] =
                longest == shortest
                ? 1 : Double(longest - candidates[index].waiting) / Double(longest - shortest)
        }
    }
}
