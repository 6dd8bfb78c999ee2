/// Every filter and scorer by name. A further one is a file with its type and a line here.
package enum Catalogue {
    /// In the order in which they are applied.
    package static let filters: [any Filter] = [
        NotDraining(), Healthy(), NotTried(), HasRoom(),
    ]

    package static let scorers: [any Scorer] = [
        QueueScorer(), KVScorer(), PrefixScorer(), RelativeQueueScorer(), FreeKVScorer(), PrefixRatioScorer(),
        LeastRequestsScorer(), LeastTokensScorer(), FirstTokenForecast(), OutputForecast(), SlowdownForecast(),
        HeadroomScorer(),
    ]

    package static func filter(named name: String) -> (any Filter)? { filters.first { $0.name == name } }

    package static func scorer(named name: String) -> (any Scorer)? { scorers.first { $0.name == name } }
}
