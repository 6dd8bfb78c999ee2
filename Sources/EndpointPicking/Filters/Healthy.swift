/// Keeps endpoints in rotation.
package struct Healthy: Filter {
    package var name: String { "healthy" }

    package init() {}

    package func apply(_ candidates: inout [Candidate], request: PickRequest) {
        candidates.removeAll { !$0.isHealthy }
    }
}
