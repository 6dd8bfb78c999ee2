/// Minus the share of the sequence limit that is in use.
package struct LeastRequestsScorer: Scorer {
    package var name: String { "least-requests" }

    package init() {}

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        for index in candidates.indices {
            values[index] = -Double(candidates[index].sequences) / Double(max(1, candidates[index].maximumSequences))
        }
    }
}
