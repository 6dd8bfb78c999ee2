import FleetTracking

/// llm-d's tiers of headroom: keeps the endpoints that are predicted to stay within the objective, or now and then those
/// that are not, so that something is learned of them too. Without forecasts, or where all are in one tier, all stay.
package struct HeadroomTiers: Filter {
    package var name: String { "headroom-tiers" }
    /// How often the others are tried. Default 0.01.
    package var exploration = 0.01

    package init() {}

    package func apply(_ candidates: inout [Candidate], request: PickRequest) {
        guard request.hasForecasts else { return }
        let within = candidates.lazy.filter { keeps($0, request.objective) }.count
        guard within > 0, within < candidates.count else { return }
        let explores = request.lot < exploration
        candidates.removeAll { keeps($0, request.objective) == explores }
    }

    private func keeps(_ candidate: Candidate, _ objective: LatencyObjective) -> Bool {
        candidate.forecast.firstToken <= objective.firstToken ?? 0
            && candidate.forecast.interToken <= objective.interToken ?? 0
    }
}
