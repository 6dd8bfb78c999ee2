import FleetTracking
import Scheduling
import Synchronization

/// The scheduler's side of the claim handshake for one pool: claims while slots are free and jobs are pending, one
/// claim of a model at a time.
final class FakeScheduler: Sendable {
    private struct State {
        var free: Int
        /// By model.
        var pending: [Int: Int] = [:]
        var claiming: Set<Int> = []
        /// Told during a claim, by model.
        var news: [Int: Int] = [:]
        var isPaused = false
        var strayAnswers = 0
        /// Placed, and perhaps still on the way here.
        var unsubmitted = 0
        var earlyEnds = 0
    }

    private let state: Mutex<State>
    private let claim = Mutex<@Sendable (PoolID, ModelID, Int) -> Void>({ _, _, _ in })
    let events = EventLog<Event>()
    let claims = EventLog<Int>()

    init(slots: Int) { state = Mutex(State(free: slots)) }

    func connect(_ claim: @escaping @Sendable (PoolID, ModelID, Int) -> Void) { self.claim.withLock { $0 = claim } }

    /// A job was placed: it takes a slot.
    func occupy() {
        state.withLock { state in
            state.free -= 1
            state.unsubmitted += 1
        }
    }

    /// All that was placed is known here for sure.
    func arrivalsCame() { state.withLock { $0.unsubmitted = 0 } }

    /// A placed job was answered.
    func free() {
        state.withLock { $0.free += 1 }
        claimIfPossible()
    }

    func submit(_ event: Event) {
        switch event {
        case .backlog(_, let model, let pending):
            state.withLock { state in
                state.pending[model.index] = pending
                if state.claiming.contains(model.index) { state.news[model.index] = pending }
            }
        case .claimed(_, let model, let pending):
            state.withLock { state in
                // The claim may have looked before what was told of meanwhile was there.
                state.pending[model.index] = max(pending, state.news.removeValue(forKey: model.index) ?? 0)
                if state.claiming.remove(model.index) == nil { state.strayAnswers += 1 }
                if state.unsubmitted > 0 { state.earlyEnds += 1 }
            }
        case .asyncPaused(let isPaused): state.withLock { $0.isPaused = isPaused }
        default: break
        }
        events.add(event)
        claimIfPossible()
    }

    var isPaused: Bool { state.withLock { $0.isPaused } }

    /// Ends of claims that were not on their way.
    var strayAnswers: Int { state.withLock { $0.strayAnswers } }

    /// Ends of claims while jobs were placed whose arrival may not have come; of use with one model.
    var earlyEnds: Int { state.withLock { $0.earlyEnds } }

    private func claimIfPossible() {
        let found: [(model: Int, limit: Int)] = state.withLock { state in
            guard !state.isPaused, state.free > 0 else { return [] }
            let models = state.pending.filter { $0.value > 0 && !state.claiming.contains($0.key) }.keys.sorted()
            state.claiming.formUnion(models)
            return models.map { ($0, state.free) }
        }
        for (model, limit) in found {
            claims.add(limit)
            claim.withLock { $0 }(PoolID(0), ModelID(model), limit)
        }
    }
}
