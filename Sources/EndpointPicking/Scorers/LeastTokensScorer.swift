/// Minus the prompt tokens that await prefill, this prompt's missing part included, in thousands.
package struct LeastTokensScorer: Scorer {
    package var name: String { "least-tokens" }

    package init() {}

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        for index in candidates.indices {
            let missing = max(0, request.promptTokens - candidates[index].matchedTokens)
            values[index] = -Double(candidates[index].pendingPromptTokens + missing) / 1000
        }
    }
}
