/// The share of the prompt that the engine is believed to hold, 0…1.
package struct PrefixRatioScorer: Scorer {
    package var name: String { "prefix-ratio" }

    package init() {}

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        let total = Double(max(1, request.promptTokens))
        for index in candidates.indices { values[index] = min(1, Double(candidates[index].matchedTokens) / total) }
    }
}
