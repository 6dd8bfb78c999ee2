/// Keeps endpoints that take new work.
package struct NotDraining: Filter {
    package var name: String { "not-draining" }

    package init() {}

    package func apply(_ candidates: inout [Candidate], request: PickRequest) {
        candidates.removeAll { $0.isDraining }
    }
}
