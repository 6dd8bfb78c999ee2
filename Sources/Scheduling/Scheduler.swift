package import FleetTracking
import FlowControl

/// The one state machine that joins fleet state, endpoint picking and flow control.
///
/// Pure: no clock, lock, input or output. The live host keeps it behind one lock; the simulator calls it from its
/// event loop. Same events, same seed, same effects. This first form picks the endpoint with the fewest sequences.
package struct Scheduler: ~Copyable {
    private struct EndpointState {
        var description: EndpointDescription
        var sequences = 0
        var isDraining = false
        var isGone = false
        var models: [ModelID]
        var limit: Int
    }

    private struct Work {
        var arrival: Arrival
        var endpoint: EndpointID?
        var isStarted = false
        var attempts = 0
        var tried: [EndpointID] = []
        var expires: Instant
        var arrivedAt: Instant
    }

    private struct PoolState {
        var realtime: [WorkID] = []
        var async: [WorkID] = []
        var pending = 0
        var isClaiming = false
    }

    private let pools: [PoolSettings]
    private var states: [PoolState]
    private var endpoints: [EndpointState?] = []
    private var works: [WorkID: Work] = [:]
    private var isPaused = false

    /// `pools` in the order of their ids.
    package init(settings: SchedulerSettings = SchedulerSettings(), seed: UInt64 = 1, pools: [PoolSettings] = []) {
        self.pools = pools
        states = pools.map { _ in PoolState() }
    }

    /// Takes one event and appends what is to be done about it. `now` never goes back.
    package mutating func handle(_ event: Event, now: Instant, effects: inout [Effect]) {
        switch event {
        case .arrived(let arrival): arrive(arrival, now, &effects)
        case .started(let work): works[work]?.isStarted = true
        case .progressed: break
        case .finished(let work, _), .cancelled(let work): release(work, now, &effects)
        case .failed(let work, let failure): fail(work, failure, now, &effects)
        case .sampled, .sampleFailed, .probed: break
        case .endpointAdded(let description): add(description, now, &effects)
        case .endpointModels(let id, let models): change(id, now, &effects) { $0.models = models }
        case .endpointDraining(let id, let draining): change(id, now, &effects) { $0.isDraining = draining }
        case .endpointRemoved(let id): change(id, now, &effects) { $0.isGone = true }
        case .backlog(let pool, let pending): backlog(pool, pending, now, &effects)
        case .asyncPaused(let paused):
            isPaused = paused
            for index in states.indices { pump(PoolID(index), now, &effects) }
        case .timerFired: expire(now, &effects)
        }
    }

    private mutating func arrive(_ arrival: Arrival, _ now: Instant, _ effects: inout [Effect]) {
        guard states.indices.contains(arrival.pool.index), works[arrival.work] == nil else { return }
        let work = Work(arrival: arrival, expires: now + arrival.timeToLive, arrivedAt: now)
        let pool = arrival.pool.index
        let waiting = arrival.band == .realtime ? states[pool].realtime.count : states[pool].async.count
        guard waiting < 1024 else {
            return effects.append(.refuse(arrival.work, .queueFull, retryAfter: .seconds(1)))
        }
        guard arrival.band == .async || endpoints.contains(where: { serves($0, arrival) }) else {
            return effects.append(.refuse(arrival.work, .noEndpoint, retryAfter: .seconds(1)))
        }
        works[arrival.work] = work
        if arrival.band == .realtime {
            states[pool].realtime.append(arrival.work)
        } else {
            states[pool].async.append(arrival.work)
        }
        pump(arrival.pool, now, &effects)
        if works[arrival.work]?.endpoint == nil { effects.append(.wake(at: work.expires)) }
    }

    private func serves(_ state: EndpointState?, _ arrival: Arrival) -> Bool {
        guard let state, !state.isGone, !state.isDraining, state.description.pool == arrival.pool else { return false }
        return state.models.contains(arrival.model)
    }

    private func pick(_ work: Work, share: Double) -> EndpointID? {
        var best: EndpointID?
        var least = Int.max
        for (index, state) in endpoints.enumerated() {
            guard let state, serves(state, work.arrival), !work.tried.contains(EndpointID(index)),
                Double(state.sequences + work.arrival.sequences) <= Double(state.limit) * share || state.sequences == 0,
                state.sequences < least
            else { continue }
            least = state.sequences
            best = EndpointID(index)
        }
        return best
    }

    private mutating func pump(_ pool: PoolID, _ now: Instant, _ effects: inout [Effect]) {
        while let id = states[pool.index].realtime.first, let work = works[id], let endpoint = pick(work, share: 1) {
            states[pool.index].realtime.removeFirst()
            forward(id, endpoint, now, &effects)
        }
        guard states[pool.index].realtime.isEmpty, !isPaused else { return }
        while let id = states[pool.index].async.first, let work = works[id], let endpoint = pick(work, share: 0.85) {
            states[pool.index].async.removeFirst()
            forward(id, endpoint, now, &effects)
        }
        claim(pool, &effects)
    }

    private mutating func claim(_ pool: PoolID, _ effects: inout [Effect]) {
        let state = states[pool.index]
        guard !state.isClaiming, !isPaused, state.pending > 0, state.async.count < 32 else { return }
        states[pool.index].isClaiming = true
        effects.append(.claimJobs(pool, limit: 64 - state.async.count))
    }

    private mutating func forward(
        _ id: WorkID, _ endpoint: EndpointID, _ now: Instant, _ effects: inout [Effect]
    ) {
        guard var work = works[id] else { return }
        work.endpoint = endpoint
        work.attempts += 1
        works[id] = work
        endpoints[endpoint.index]?.sequences += work.arrival.sequences
        if work.attempts == 1 {
            effects.append(.observe(.queueWait(work.arrival.band, work.arrival.pool, now - work.arrivedAt)))
        }
        effects.append(.forward(id, endpoint, attempt: work.attempts))
    }

    private mutating func release(_ id: WorkID, _ now: Instant, _ effects: inout [Effect]) {
        guard let work = works.removeValue(forKey: id) else { return }
        let pool = work.arrival.pool
        if let endpoint = work.endpoint {
            endpoints[endpoint.index]?.sequences -= work.arrival.sequences
        } else {
            states[pool.index].realtime.removeAll { $0 == id }
            states[pool.index].async.removeAll { $0 == id }
        }
        pump(pool, now, &effects)
    }

    private mutating func fail(
        _ id: WorkID, _ failure: AttemptFailure, _ now: Instant, _ effects: inout [Effect]
    ) {
        guard var work = works[id], let endpoint = work.endpoint else { return }
        endpoints[endpoint.index]?.sequences -= work.arrival.sequences
        work.endpoint = nil
        work.tried.append(endpoint)
        works[id] = work
        let mayRetry = work.arrival.band == .realtime && !work.isStarted && work.attempts < 3
        if mayRetry, let next = pick(work, share: 1) {
            forward(id, next, now, &effects)
        } else {
            works[id] = nil
            effects.append(.refuse(id, Scheduler.outcome(failure), retryAfter: .seconds(1)))
        }
        pump(work.arrival.pool, now, &effects)
    }

    private static func outcome(_ failure: AttemptFailure) -> Outcome {
        switch failure {
        case .connect: .connectFailed
        case .full: .enginesFull
        case .reset: .engineReset
        case .firstByteTimeout: .firstByteTimeout
        case .truncated: .engineTruncated
        case .idleTimeout: .idleTimeout
        case .protocolError: .engineProtocol
        }
    }

    private mutating func add(_ description: EndpointDescription, _ now: Instant, _ effects: inout [Effect]) {
        guard states.indices.contains(description.pool.index), description.id.index < 16384 else { return }
        while endpoints.count <= description.id.index { endpoints.append(nil) }
        let limit = description.maximumSequences ?? 256
        endpoints[description.id.index] = EndpointState(
            description: description, models: description.models, limit: limit)
        pump(description.pool, now, &effects)
    }

    private mutating func change(
        _ id: EndpointID, _ now: Instant, _ effects: inout [Effect], _ body: (inout EndpointState) -> Void
    ) {
        guard endpoints.indices.contains(id.index), var state = endpoints[id.index] else { return }
        body(&state)
        endpoints[id.index] = state
        pump(state.description.pool, now, &effects)
    }

    private mutating func backlog(_ pool: PoolID, _ pending: Int, _ now: Instant, _ effects: inout [Effect]) {
        guard states.indices.contains(pool.index) else { return }
        states[pool.index].pending = pending
        states[pool.index].isClaiming = false
        pump(pool, now, &effects)
    }

    private mutating func expire(_ now: Instant, _ effects: inout [Effect]) {
        for index in states.indices {
            for id in states[index].realtime where (works[id]?.expires ?? now) <= now {
                works[id] = nil
                states[index].realtime.removeAll { $0 == id }
                effects.append(.refuse(id, .queueTimeout, retryAfter: .seconds(1)))
            }
        }
    }
}
