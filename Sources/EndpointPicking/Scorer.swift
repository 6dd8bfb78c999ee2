/// Values candidates: more is better. The unit is the scorer's own; weights make units comparable.
///
/// Called once per pick with all candidates, so that the call costs nothing beside the work.
package protocol Scorer: Sendable {
    /// The name in settings and explanations.
    var name: String { get }
    /// Writes one finite value for each candidate; `values` comes with one zero for each.
    func score(_ candidates: [Candidate], request: PickRequest, values: inout [Double])
}
