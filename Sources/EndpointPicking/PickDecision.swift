package import FleetTracking

/// Why a pick came out as it did.
package enum PickReason: String, Sendable, Equatable {
    /// The filters left one endpoint.
    case onlyCandidate = "only_candidate"
    /// One total was the highest.
    case bestScore = "best_score"
    /// Several totals were equal; one was drawn.
    case drawnAmongEqual = "drawn_among_equal"
    /// The better of two that were drawn.
    case betterOfTwo = "better_of_two"
    /// Its turn.
    case turn
    /// Drawn, whatever the totals.
    case drawn
}

/// One pick, explained: who was considered, what each scorer said, who was chosen and why.
package struct PickDecision: Sendable, Equatable {
    /// One scorer's say about one endpoint.
    package struct Term: Sendable, Equatable {
        package var scorer: String
        package var value: Double
        package var weight: Double
    }

    /// An endpoint that passed the filters.
    package struct Scored: Sendable, Equatable {
        package var endpoint: EndpointID
        package var terms: [Term]
        /// Sum of value × weight.
        package var total: Double
    }

    package var work: WorkID
    package var attempt: Int
    package var at: Instant
    package var chosen: EndpointID
    package var reason: PickReason
    /// The highest totals first, at most `DecisionRing.candidatesKept`; the chosen one is always among them.
    package var candidates: [Scored]
    /// Endpoints looked at, before the filters.
    package var considered: Int
    /// Endpoints that passed the filters.
    package var passed: Int
    /// Tokens of the prompt that the chosen endpoint was believed to hold.
    package var matchedTokens: Int
    /// No endpoint was in rotation, so that all counted as being in it.
    package var ignoredHealth: Bool
    /// The profile goes by forecasts, but recent ones were too far off: its other scorers decided alone.
    package var distrustedForecasts: Bool
    /// What was predicted for the chosen endpoint, milliseconds.
    package var firstTokenMilliseconds: Double
    package var interTokenMilliseconds: Double
}
