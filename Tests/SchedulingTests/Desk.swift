import EndpointPicking
import FleetTracking
import FlowControl
import Scheduling

/// A scheduler under test with a clock that the test moves: every call is one event and returns its effects.
struct Desk: ~Copyable {
    var scheduler: Scheduler
    var now = Instant.zero + .seconds(100)
    private var serial: UInt64 = 0

    init(endpoints: Int = 0, sequences: Int = 4, seed: UInt64 = 1, pool: PoolSettings = PoolSettings()) {
        scheduler = Scheduler(seed: seed, pools: [pool])
        for index in 0..<endpoints { add(index, sequences: sequences) }
    }

    mutating func add(_ index: Int, sequences: Int? = 4, kvTokens: Int? = 100_000) {
        _ = send(
            .endpointAdded(
                EndpointDescription(
                    id: EndpointID(index), pool: PoolID(0), maximumSequences: sequences, batchTokens: 8192,
                    kvTokens: kvTokens, models: [ModelID(0)])))
        sample(index)
    }

    mutating func send(_ event: Event) -> [Effect] {
        var effects: [Effect] = []
        scheduler.handle(event, now: now, effects: &effects)
        return effects
    }

    mutating func advance(_ duration: Duration) -> [Effect] {
        now = now + duration
        return send(.timerFired)
    }

    /// A sample that shows exactly our own work, unless told otherwise.
    @discardableResult
    mutating func sample(_ index: Int, running: Int? = nil, waiting: Int = 0) -> [Effect] {
        now = now + .milliseconds(50)
        var sample = EngineSample(takenAt: now)
        let own = scheduler.snapshot(at: now).endpoints.first { $0.id.index == index }
        sample.running = running ?? ((own?.realtime.sequences ?? 0) + (own?.async.sequences ?? 0))
        sample.waiting = waiting
        return send(.sampled(EndpointID(index), sample))
    }

    func endpoint(_ index: Int) -> EndpointSnapshot? {
        scheduler.snapshot(at: now).endpoints.first { $0.id.index == index }
    }

    var pool: PoolSnapshot { scheduler.snapshot(at: now).pools[0] }

    mutating func makeArrival(_ band: Band = .realtime, prompt: Int = 100) -> Arrival {
        serial += 1
        return Arrival(
            work: WorkID(home: 0, serial: serial), pool: PoolID(0), model: ModelID(0), band: band,
            promptTokens: prompt, expectedOutputTokens: 100, timeToLive: .seconds(10))
    }

    /// A real-time request; its id and what came of it.
    mutating func request(prompt: Int = 100) -> (work: WorkID, effects: [Effect]) {
        let arrival = makeArrival(prompt: prompt)
        return (arrival.work, send(.arrived(arrival)))
    }

    mutating func job(prompt: Int = 100) -> (work: WorkID, effects: [Effect]) {
        let arrival = makeArrival(.async, prompt: prompt)
        return (arrival.work, send(.arrived(arrival)))
    }

    mutating func finish(_ work: WorkID, status: Int = 200) -> [Effect] {
        send(.finished(work, Completion(outcome: .completed, status: status)))
    }
}

/// What an effect does, without the parts that a test does not ask for.
enum Deed: Equatable {
    case forward(WorkID, EndpointID)
    case refuse(WorkID, Outcome)
    case claim(Int)
    case ejected(EndpointID)
    case restored(EndpointID)
    case retried
    case retryBudgetSpent
}

extension [Effect] {
    var deeds: [Deed] {
        compactMap { effect in
            switch effect {
            case .forward(let work, let endpoint, _): .forward(work, endpoint)
            case .refuse(let work, let outcome, _): .refuse(work, outcome)
            case .claimJobs(_, _, let limit): .claim(limit)
            case .observe(.ejected(let endpoint)): .ejected(endpoint)
            case .observe(.restored(let endpoint)): .restored(endpoint)
            case .observe(.retried): .retried
            case .observe(.retryBudgetSpent): .retryBudgetSpent
            case .wake, .observe: nil
            }
        }
    }

    /// Where this work was sent, if it was.
    func endpoint(of work: WorkID) -> EndpointID? {
        for case .forward(work, let endpoint, _) in self { return endpoint }
        return nil
    }

    var forwards: [WorkID] {
        compactMap { if case .forward(let work, _, _) = $0 { work } else { nil } }
    }

    /// Limits of the claims.
    var claims: [Int] {
        compactMap { if case .claimJobs(_, _, let limit) = $0 { limit } else { nil } }
    }

    var retryAfter: Duration? {
        for case .refuse(_, _, let retry) in self { return retry }
        return nil
    }
}
