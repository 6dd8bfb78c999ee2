/// The free share of KV, 0…1.
package struct FreeKVScorer: Scorer {
    package var name: String { "free-kv" }

    package init() {}

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        for index in candidates.indices { values[index] = 1 - candidates[index].kvUse }
    }
}
