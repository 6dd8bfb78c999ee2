import FleetTracking

/// llm-d's prefix affinity: keeps the endpoints that hold most of the prompt, unless waiting there costs more than it
/// saves.
///
/// Sticky are those that hold at least `threshold` of it. All stay when none is sticky, or when the best predicted first
/// token among the sticky ones is more than `penaltyMilliseconds` later than the best among the others.
package struct PrefixAffinity: Filter {
    package var name: String { "prefix-affinity" }
    package var threshold: Double
    package var penaltyMilliseconds: Double

    package init(threshold: Double, penaltyMilliseconds: Double) {
        self.threshold = threshold
        self.penaltyMilliseconds = penaltyMilliseconds
    }

    package func apply(_ candidates: inout [Candidate], request: PickRequest) {
        var best = (sticky: Double.infinity, other: Double.infinity)
        for candidate in candidates {
            if isSticky(candidate, request) {
                best.sticky = min(best.sticky, candidate.forecast.firstToken)
            } else {
                best.other = min(best.other, candidate.forecast.firstToken)
            }
        }
        guard best.sticky < .infinity, best.sticky - best.other <= penaltyMilliseconds else { return }
        candidates.removeAll { !isSticky($0, request) }
    }

    private func isSticky(_ candidate: Candidate, _ request: PickRequest) -> Bool {
        Double(candidate.matchedTokens) >= threshold * Double(max(1, request.promptTokens))
    }
}
