/// Keeps endpoints where no earlier attempt of this work failed.
package struct NotTried: Filter {
    package var name: String { "not-tried" }

    package init() {}

    package func apply(_ candidates: inout [Candidate], request: PickRequest) {
        candidates.removeAll { $0.wasTried }
    }
}
