package import FleetTracking

/// What a pick needs besides the task and the fleet.
package struct PickContext: Sendable {
    package var pool: PoolID
    package var now: Instant
    package var generator: SeededGenerator
    package var decisions: DecisionRing

    package init(pool: PoolID, now: Instant, generator: SeededGenerator, decisions: DecisionRing) {
        self.pool = pool
        self.now = now
        self.generator = generator
        self.decisions = decisions
    }
}

/// The endpoints where attempts of one work failed; room for eight, without allocation.
package struct TriedEndpoints: Sendable, Equatable {
    private var indices = SIMD8<Int32>(repeating: -1)
    package private(set) var count = 0

    package static let limit = 8

    package init() {}

    package mutating func insert(_ endpoint: EndpointID) {
        guard count < TriedEndpoints.limit else { return }
        indices[count] = Int32(truncatingIfNeeded: endpoint.index)
        count += 1
    }

    package func contains(_ endpoint: EndpointID) -> Bool {
        guard count > 0 else { return false }
        return any(indices .== Int32(truncatingIfNeeded: endpoint.index))
    }
}
