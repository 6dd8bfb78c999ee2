extension PickProfile {
    /// By predicted latency: the request's own first token and answer, and what the streams there lose by it, in
    /// seconds. A held prefix counts by the prefill that it saves. While forecasts are poor, as `standard`.
    package static let predicted: PickProfile = {
        var profile = PickProfile(scorers: [
            WeightedScorer(FirstTokenForecast(), weight: 1),
            WeightedScorer(OutputForecast(), weight: 0.2),
            WeightedScorer(SlowdownForecast(), weight: 0.05),
            WeightedScorer(WithoutForecasts(QueueScorer()), weight: 1),
            WeightedScorer(WithoutForecasts(PrefixScorer()), weight: 1),
            WeightedScorer(KVScorer(), weight: 8),
        ])
        profile.usesForecasts = true
        return profile
    }()

    /// llm-d's predicted-latency chain, for comparison: strong affinity, tiers of headroom, weaker affinity, the latency
    /// scorer, a weighted draw. The forecasts are Neap's.
    package static let llmdPredicted: PickProfile = {
        var profile = PickProfile(
            scorers: [WeightedScorer(HeadroomScorer(), weight: 1)], picker: .weightedRandom)
        profile.refinements = [
            PrefixAffinity(threshold: 0.99, penaltyMilliseconds: 5000), HeadroomTiers(),
            PrefixAffinity(threshold: 0.8, penaltyMilliseconds: 5000),
        ]
        profile.usesForecasts = true
        return profile
    }()

    /// Profiles by the names that settings use.
    package static let named: [(name: String, profile: PickProfile)] = [
        ("standard", .standard), ("predicted", .predicted), ("llmd-predicted", .llmdPredicted),
    ]
}
