import FleetTracking

/// Minus the predicted time of the answer after its first token, in seconds; 0 for all when forecasts cannot be gone by.
package struct OutputForecast: Scorer {
    package var name: String { "predicted-output" }

    package init() {}

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        guard request.hasForecasts else { return }
        let tokens = Double(request.likelyOutputTokens)
        for index in candidates.indices { values[index] = -candidates[index].forecast.interToken * tokens / 1000 }
    }
}
