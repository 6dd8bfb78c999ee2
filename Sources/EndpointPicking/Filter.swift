/// Takes candidates away.
///
/// Called once per pick with all candidates, so that the call costs nothing beside the work.
package protocol Filter: Sendable {
    /// The name in settings and explanations.
    var name: String { get }
    /// Keeps the candidates that may take the work, in their order.
    func apply(_ candidates: inout [Candidate], request: PickRequest)
}
