package import EndpointPicking

/// Ways to choose an endpoint, for comparison: all of them are profiles of the same scheduler. A further one is a line.
package enum Policies {
    package static let all: [(name: String, profile: PickProfile)] = [
        ("random", PickProfile(scorers: [], picker: .random)),
        ("round-robin", PickProfile(scorers: [], picker: .roundRobin)),
        ("least-requests", PickProfile(scorers: [WeightedScorer(LeastRequestsScorer(), weight: 1)])),
        ("least-tokens", PickProfile(scorers: [WeightedScorer(LeastTokensScorer(), weight: 1)])),
        (
            "power-of-two",
            PickProfile(scorers: [WeightedScorer(LeastRequestsScorer(), weight: 1)], picker: .powerOfTwo)
        ),
        ("prefix-only", PickProfile(scorers: [WeightedScorer(PrefixRatioScorer(), weight: 1)])),
        (
            "queue-kv-prefix",
            PickProfile(scorers: [
                WeightedScorer(RelativeQueueScorer(), weight: 2), WeightedScorer(FreeKVScorer(), weight: 2),
                WeightedScorer(PrefixRatioScorer(), weight: 3),
            ])
        ),
        ("sticky-until-saturated", stickyUntilSaturated),
        ("llmd-predicted", .llmdPredicted),
        ("standard", .standard),
        ("neap", .predicted),
    ]

    package static func named(_ name: String) -> PickProfile? { all.first { $0.name == name }?.profile }

    private static let stickyUntilSaturated: PickProfile = {
        var profile = PickProfile(scorers: [
            WeightedScorer(PrefixRatioScorer(), weight: 1), WeightedScorer(LeastRequestsScorer(), weight: 0.01),
        ])
        profile.refinements = [Unsaturated()]
        return profile
    }()
}
