import FleetTracking

/// Minus what streams lose by this prompt's prefill, in seconds summed over them: each waits for it once. 0 for all when
/// forecasts cannot be gone by.
///
/// Counts the mean number of streams of all candidates, not those of each: with their own, long prompts would gather
/// where few streams are and short ones where many are, which evens nothing out. So it is the price of a prefill, and of
/// a prefix that is computed again.
package struct SlowdownForecast: Scorer {
    package var name: String { "predicted-slowdown" }

    package init() {}

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        guard request.hasForecasts else { return }
        let residents = candidates.reduce(0) { $0 + $1.forecast.residents } / Double(max(1, candidates.count))
        for index in candidates.indices { values[index] = -residents * candidates[index].forecast.ownPrefill / 1000 }
    }
}
