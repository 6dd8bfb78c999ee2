/// What a pick needs to know about one endpoint, as plain numbers: an `Endpoint` is large and is never copied on the
/// way of a request.
package struct EndpointFacts: Sendable {
    /// In rotation: not ejected.
    package var isHealthy = true
    package var isDraining = false
    /// The work fits now, by the rules of its band.
    package var hasRoom = true
    /// Sequences there: ours and the foreign ones.
    package var sequences = 0
    package var maximumSequences = 1
    /// The engine's own waiting queue, sequences, as of its last sample.
    package var waiting = 0
    /// Prompt tokens of ours that the engine has not prefilled yet.
    package var pendingPromptTokens = 0
    /// Share of KV in use, 0…1; 0 when unknown.
    package var kvUse = 0.0

    package init() {}
}

extension Endpoint {
    /// Lets the prefill run until now and tells what a pick needs.
    ///
    /// Mutating, and all that it calls inlined, so that the endpoint is read where it lies: a call on a part of a
    /// changing array would copy it whole, which costs more than the rest.
    mutating func facts(for demand: WorkDemand, at now: Instant) -> EndpointFacts {
        prefill.advance(to: now, rate: prefillRate)
        var facts = EndpointFacts()
        facts.isHealthy = health.isHealthy
        facts.isDraining = isDraining
        facts.hasRoom = hasRoom(for: demand, at: now)
        facts.sequences = ownSequences + foreignSequences(for: .realtime, at: now)
        facts.maximumSequences = capacity.sequences
        facts.waiting = sampledWaiting
        facts.pendingPromptTokens = prefill.pending
        facts.kvUse = kvUse(at: now)
        return facts
    }
}
