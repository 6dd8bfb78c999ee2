package import FleetTracking
import FlowControl

extension StableDigest {
    /// Adds a decision, so that two runs can be compared. Observations are left out: they decide nothing.
    package mutating func absorb(_ effect: Effect) {
        switch effect {
        case .forward(let work, let endpoint, let attempt):
            absorb(1)
            absorb(work.rawValue)
            absorb(endpoint.index)
            absorb(attempt)
        case .refuse(let work, let outcome, let retryAfter):
            absorb(2)
            absorb(work.rawValue)
            absorb(outcome.rawValue)
            absorb(Int(retryAfter?.wholeNanoseconds ?? -1))
        case .claimJobs(let pool, let model, let limit):
            absorb(4)
            absorb(pool.index)
            absorb(model.index)
            absorb(limit)
        case .wake(let instant):
            absorb(5)
            absorb(instant)
        case .observe: return
        }
    }
}
