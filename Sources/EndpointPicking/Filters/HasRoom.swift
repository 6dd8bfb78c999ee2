/// Keeps endpoints where the work fits now.
package struct HasRoom: Filter {
    package var name: String { "has-room" }

    package init() {}

    package func apply(_ candidates: inout [Candidate], request: PickRequest) {
        candidates.removeAll { !$0.hasRoom }
    }
}
