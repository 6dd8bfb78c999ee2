import FleetTracking
import Scheduling
import Synchronization

/// The scheduler's side of the claim handshake for one pool: claims while slots are free and jobs are pending, one
/// claim at a time.
final class FakeScheduler: Sendable {
    private struct State {
        var free: Int
        var pending = 0
        var isClaiming = false
        var isPaused = false
        var claimed = 0
    }

    private let state: Mutex<State>
    private let claim = Mutex<@Sendable (PoolID, Int) -> Void>({ _, _ in })
    let events = EventLog<Event>()
    let claims = EventLog<Int>()

    init(slots: Int) { state = Mutex(State(free: slots)) }

    func connect(_ claim: @escaping @Sendable (PoolID, Int) -> Void) { self.claim.withLock { $0 = claim } }

    /// A job was placed: it takes a slot.
    func occupy() { state.withLock { $0.free -= 1 } }

    /// A placed job was answered.
    func free() {
        state.withLock { $0.free += 1 }
        claimIfPossible()
    }

    func submit(_ event: Event) {
        switch event {
        case .backlog(_, let pending):
            state.withLock { state in
                state.pending = pending
                state.isClaiming = false
            }
        case .asyncPaused(let isPaused): state.withLock { $0.isPaused = isPaused }
        default: break
        }
        events.add(event)
        claimIfPossible()
    }

    private func claimIfPossible() {
        let limit: Int? = state.withLock { state in
            guard !state.isClaiming, !state.isPaused, state.pending > 0, state.free > 0 else { return nil }
            state.isClaiming = true
            return state.free
        }
        guard let limit else { return }
        claims.add(limit)
        claim.withLock { $0 }(PoolID(0), limit)
    }
}
