import FleetTracking

/// Minus the predicted time to the first token, in seconds; 0 for all when forecasts cannot be gone by.
package struct FirstTokenForecast: Scorer {
    package var name: String { "predicted-first-token" }

    package init() {}

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        guard request.hasForecasts else { return }
        for index in candidates.indices { values[index] = -candidates[index].forecast.firstToken / 1000 }
    }
}
