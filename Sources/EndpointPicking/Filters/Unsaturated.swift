/// Keeps endpoints with a short queue and free KV, as long as there are any. The limits are those of the Gateway API
/// inference extension's saturation detector.
package struct Unsaturated: Filter {
    package var name: String { "unsaturated" }
    /// Sequences in the engine's own queue.
    package var mostWaiting = 5
    package var mostKV = 0.8

    package init() {}

    package func apply(_ candidates: inout [Candidate], request: PickRequest) {
        guard candidates.contains(where: isFree) else { return }
        candidates.removeAll { !isFree($0) }
    }

    private func isFree(_ candidate: Candidate) -> Bool {
        candidate.waiting <= mostWaiting && candidate.kvUse <= mostKV
    }
}
