package import FleetTracking
package import FlowControl

/// What the scheduler decided. Effects of one work are delivered to its home in this order.
package enum Effect: Sendable {
    /// Send the work to this endpoint. `attempt` counts from 1.
    case forward(WorkID, EndpointID, attempt: Int)
    /// The work is over without an answer. Tell the client, or account the job attempt.
    case refuse(WorkID, Outcome, retryAfter: Duration?)
    /// Bring up to this many more jobs of the model (`backlog` said that there are some): an `arrived` for each, then
    /// one `claimed`. At most one claim of a model is unanswered. A claim that brings nothing although jobs are said to
    /// be there is repeated after a pause.
    case claimJobs(PoolID, ModelID, limit: Int)
    /// Send `timerFired` at this time (an earlier wish stays; later ones may be merged).
    case wake(at: Instant)
    /// A figure for metrics or, in the simulator, the report.
    case observe(Observation)
}

/// Figures that the scheduler alone knows. One definition for live metrics and simulated reports.
package enum Observation: Sendable {
    /// Time from arrival to the first `forward`.
    case queueWait(Band, PoolID, Duration)
    /// An endpoint was taken out of rotation or let back in.
    case ejected(EndpointID)
    case restored(EndpointID)
    /// An attempt went to another endpoint.
    case retried(PoolID, AttemptFailure)
    /// A retry was due but the retry budget was spent.
    case retryBudgetSpent(PoolID)
    /// Estimated tokens of the prompt that the prefix index expects the chosen endpoint to hold.
    case prefixMatch(PoolID, promptTokens: Int, matchedTokens: Int)
    /// A stream's time from sending to its first token, as it was predicted and as it was, in milliseconds.
    case firstToken(PoolID, predicted: Double, took: Double)
}
