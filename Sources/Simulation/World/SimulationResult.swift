/// What a run came to.
package struct SimulationResult: Sendable {
    package var requests = 0
    package var completed = 0
    /// Refused by the scheduler, or broken off by an engine's end.
    package var refused = 0
    /// Refused by the engine: longer than its model takes.
    package var tooLong = 0
    package var cancelled = 0
    /// Of completed requests, milliseconds, in the order of their ends: from arrival to the first token, the mean
    /// between two tokens, and from arrival to the end.
    package var firstToken: [Double] = []
    /// Of an answer of one token 0.
    package var perToken: [Double] = []
    package var endToEnd: [Double] = []
    package var promptTokens = 0
    /// Of them found in an engine's cache.
    package var cachedTokens = 0
    /// Computed by each endpoint, prompt and output.
    package var endpointTokens: [Int] = []
    package var load = LoadHistory()
    package var jobsCompleted = 0
    /// Of them, by the last request's arrival.
    package var jobsCompletedInTime = 0
    package var jobOutputTokens = 0
    /// Requests that waited in front of or in the engines, in the middle of the arrivals and at their end.
    package var waitingInTheMiddle = 0
    package var waitingAtTheEnd = 0
    /// Items taken from the agenda.
    package var events = 0
    package var virtualSeconds = 0.0
    /// Of all decisions in their order.
    package var digest: UInt64 = 0
    /// Rules that were broken; empty: none.
    package var violations: [String] = []

    package var prefixHitRatio: Double { promptTokens == 0 ? 0 : Double(cachedTokens) / Double(promptTokens) }

    /// The busiest endpoint's tokens in proportion to the mean.
    package var loadMaximumOverMean: Double {
        let sum = endpointTokens.reduce(0, +)
        guard sum > 0, let most = endpointTokens.max() else { return 1 }
        return Double(most) * Double(endpointTokens.count) / Double(sum)
    }

    /// Completed requests within both limits, milliseconds.
    package func good(firstToken first: Double, perToken each: Double) -> Int {
        zip(firstToken, perToken).count { $0 <= first && $1 <= each }
    }

    /// The nearest-rank quantile; 0 of nothing.
    package static func quantile(_ values: [Double], _ share: Double) -> Double {
        guard !values.isEmpty else { return 0 }
        let rank = Int((share * Double(values.count)).rounded(.up))
        return values.sorted()[min(values.count - 1, max(0, rank - 1))]
    }
}
