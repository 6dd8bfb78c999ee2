import FleetTracking

/// llm-d's latency scorer, strategy "least": how close the predicted latencies come to what was promised, 0…1.
///
/// Headroom is objective − prediction; without an objective it counts as 0 − prediction. Scored are only the endpoints of
/// the first set that is not empty: both headrooms at least 0; else, idle ones with a negative one; else only the gap
/// negative; only the first token negative; both. Within it `1 − (w · first token + (1 − w) · gap)` of the distances from
/// 0, each scaled to the set's range; a dimension in which all are equal gives its weight to the other. The others get 0.
/// Without forecasts: the mean of free KV, relative queue and prefix ratio.
package struct HeadroomScorer: Scorer {
    package var name: String { "llmd-latency" }
    package var firstTokenWeight = 0.8
    /// Steps of the scale; the worst of the set is still above those outside.
    package var steps = 100.0

    package init() {}

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        guard request.hasForecasts else { return scoreComposite(candidates, request, &values) }
        let rank = candidates.lazy.map { tier($0, request) }.min() ?? 0
        var first = (low: Double.infinity, high: -Double.infinity)
        var gap = first
        for candidate in candidates where tier(candidate, request) == rank {
            let room = headroom(candidate, request)
            first = (min(first.low, room.first.magnitude), max(first.high, room.first.magnitude))
            gap = (min(gap.low, room.gap.magnitude), max(gap.high, room.gap.magnitude))
        }
        for index in candidates.indices where tier(candidates[index], request) == rank {
            let room = headroom(candidates[index], request)
            let (firstShare, gapShare) = (share(room.first.magnitude, first), share(room.gap.magnitude, gap))
            let combined: Double
            switch (firstShare, gapShare) {
            case (let firstShare?, let gapShare?):
                combined = firstTokenWeight * firstShare + (1 - firstTokenWeight) * gapShare
            case (let only?, nil), (nil, let only?): combined = only
            case (nil, nil): combined = 0.5
            }
            values[index] = (((1 - combined) * (steps - 1)).rounded(.down) + 2) / steps
        }
    }

    /// Where in the range, 0…1; nil: all are equal.
    private func share(_ value: Double, _ range: (low: Double, high: Double)) -> Double? {
        range.high - range.low > 1e-9 ? (value - range.low) / (range.high - range.low) : nil
    }

    private func headroom(_ candidate: Candidate, _ request: PickRequest) -> (first: Double, gap: Double) {
        (
            (request.objective.firstToken ?? 0) - candidate.forecast.firstToken,
            (request.objective.interToken ?? 0) - candidate.forecast.interToken
        )
    }

    /// Lower ones are scored before higher ones.
    private func tier(_ candidate: Candidate, _ request: PickRequest) -> Int {
        let room = headroom(candidate, request)
        switch (room.first < 0, room.gap < 0) {
        case (false, false): return 0
        case _ where candidate.sequences == 0: return 1
        case (false, true): return 2
        case (true, false): return 3
        case (true, true): return 4
        }
    }

    private func scoreComposite(_ candidates: [Candidate], _ request: PickRequest, _ values: inout [Double]) {
        let longest = candidates.lazy.map(\.waiting).max() ?? 0
        for index in candidates.indices {
            let candidate = candidates[index]
            let queue = longest == 0 ? 1 : Double(longest - candidate.waiting) / Double(longest)
            let prefix = min(1, Double(candidate.matchedTokens) / Double(max(1, request.promptTokens)))
            values[index] = (1 - candidate.kvUse + queue + prefix) / 3
        }
    }
}
