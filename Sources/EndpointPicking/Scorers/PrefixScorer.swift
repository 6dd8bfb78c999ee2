/// Prompt tokens that the engine need not prefill, in thousands; the part that most requests share counts for nothing.
///
/// A prefix in (nearly) every request is soon held everywhere; were it to count, the first endpoint to hold it would
/// draw everything.
package struct PrefixScorer: Scorer {
    package var name: String { "prefix" }

    package init() {}

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        for index in candidates.indices {
            values[index] = Double(max(0, candidates[index].matchedTokens - request.commonTokens)) / 1000
        }
    }
}
