/// One scorer and what it counts.
package struct WeightedScorer: Sendable {
    package var scorer: any Scorer
    package var weight: Double

    package init(_ scorer: any Scorer, weight: Double) {
        self.scorer = scorer
        self.weight = weight
    }
}

/// How endpoints are chosen: filters take candidates away, scorers value the rest, the picker chooses.
///
/// `refinements` are filters that look at prefixes and forecasts, which are known only of what passed `filters`.
package struct PickProfile: Sendable {
    package var filters: [any Filter]
    package var refinements: [any Filter] = []
    package var scorers: [WeightedScorer]
    package var picker: Picker
    /// Its scorers or refinements look at `Candidate.forecast`.
    package var usesForecasts = false

    package init(filters: [any Filter] = Catalogue.filters, scorers: [WeightedScorer], picker: Picker = .best) {
        self.filters = filters
        self.scorers = scorers
        self.picker = picker
    }
}
