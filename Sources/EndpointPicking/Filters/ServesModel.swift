/// Keeps endpoints that serve the request's model.
package struct ServesModel: Filter {
    package var name: String { "serves-model" }

    package init() {}

    package func apply(_ candidates: inout [Candidate], request: PickRequest) {
        candidates.removeAll { !$0.servesModel }
    }
}
