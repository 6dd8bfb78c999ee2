/// Minus how far KV use is into its last fifth, 0…1: no matter below, decisive near the end, where engines preempt.
package struct KVScorer: Scorer {
    package var name: String { "kv" }
    /// KV use at which it begins to count.
    package var knee = 0.8

    package init() {}

    package func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double]) {
        for index in candidates.indices {
            values[index] = -min(1, max(0, candidates[index].kvUse - knee) / (1 - knee))
        }
    }
}
