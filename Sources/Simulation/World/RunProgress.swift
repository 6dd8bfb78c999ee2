/// How far a run is.
package struct RunProgress: Sendable, Equatable {
    /// Since the first arrival.
    package var virtualSeconds: Double
    /// Of the way, 0 to 1: arrivals and ends of requests count alike.
    package var share: Double
}
