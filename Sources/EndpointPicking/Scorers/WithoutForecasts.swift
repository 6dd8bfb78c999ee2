/// Another scorer that speaks only when forecasts cannot be gone by; else 0 for all.
package struct WithoutForecasts: Scorer {
    private let scorer: any Scorer

    package init(_ scorer: any Scorer) { self.scorer = scorer }

    package var name: String { "fallback-" + scorer.name }

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        guard !request.hasForecasts else { return }
        scorer.score(candidates, request: request, values: &values)
    }
}
