package import EndpointPicking
package import FleetTracking
import FlowControl

/// The one state machine that joins fleet state, endpoint picking and flow control.
///
/// Pure: no clock, lock, input or output. The live host keeps it behind one lock; the simulator calls it from its
/// event loop. Same events, same seed, same effects.
///
/// A work begins with `arrived` and ends exactly once: by the `refuse` that it is answered with, or by the first
/// `finished` or `cancelled` that names it. Events that name no known work or endpoint come from races (a cancel that
/// crosses an end) and are counted, nothing more.
///
/// A real-time work goes: arrived → forwarded at once, or waits in its band (→ forwarded, or refused when its time to
/// live ends) → finished, cancelled, or failed; a failed attempt goes elsewhere, waits again, or is refused. A job's
/// attempt goes the same way, but waits in the async band, is granted only what real-time leaves, and a failed attempt
/// is always answered with `refuse`: the next attempt is the job layer's to make.
package struct Scheduler: ~Copyable {
    let settings: SchedulerSettings
    var pools: [PoolState]
    var fleet: Fleet
    var works = WorkTable()
    /// Random numbers and recent decisions, lent to the pickers.
    var context: PickContext
    var isAsyncPaused = false
    var isShuttingDown = false
    /// The earliest `wake` that has not been answered.
    var armedWake: Instant?
    /// Works that arrived so far.
    var arrivals: UInt64 = 0
    /// Reused by the filler.
    var smallerJobs: [QueuedWork] = []
    /// Events that named an unknown work, endpoint or pool, or repeated one.
    package internal(set) var ignoredEvents = 0

    /// `pools` in the order of their ids.
    package init(
        settings: SchedulerSettings = SchedulerSettings(), seed: UInt64 = 1, pools: [PoolSettings] = []
    ) {
        self.settings = settings
        self.pools = pools.enumerated().map { PoolState(settings: $1, index: $0) }
        fleet = Fleet(settings: pools.map(\.fleet), maximumEndpoints: settings.maximumEndpoints)
        context = PickContext(
            pool: PoolID(0), now: .zero, generator: SeededGenerator(seed: seed),
            decisions: DecisionRing(capacity: settings.decisionsKept, profiles: pools.map(\.profile)))
    }

    /// Takes one event and appends what is to be done about it. `now` never goes back.
    package mutating func handle(_ event: Event, now: Instant, effects: inout [Effect]) {
        switch event {
        case .arrived(let arrival): arrived(arrival, now, &effects)
        case .started(let work): started(work, now, &effects)
        case .progressed(let reports): progressed(reports, now)
        case .finished(let work, let completion): finished(work, completion, now, &effects)
        case .failed(let work, let failure): failed(work, failure, now, &effects)
        case .cancelled(let work): cancelled(work, now, &effects)
        case .sampled, .sampleFailed, .probed: observed(event, now, &effects)
        case .endpointAdded, .endpointModels, .endpointLimits, .endpointDraining, .endpointRemoved:
            configured(event, now, &effects)
        case .backlog(let pool, let model, let pending): backlog(pool, model, pending: pending, now, &effects)
        case .claimed(let pool, let model, let pending): claimed(pool, model, pending: pending, now, &effects)
        case .asyncPaused(let isPaused):
            isAsyncPaused = isPaused
            settleAll(now, &effects)
        case .shutdown: shutdown(now, &effects)
        case .timerFired:
            if let armed = armedWake, armed <= now { armedWake = nil }
            settleAll(now, &effects)
        }
        armWake(now, &effects)
    }

    /// What was predicted of a work in flight when it was sent; nil: nothing was, or it is not in flight.
    package func forecast(of work: WorkID) -> LatencyForecast? {
        guard let slot = works.slot(of: work), works[slot].endpoint != nil else { return nil }
        return works[slot].forecast
    }

    /// How long the next step to begin on an endpoint will take; nil: the endpoint is not known.
    package mutating func nextStep(on endpoint: EndpointID, at now: Instant) -> Duration? {
        fleet.isPresent(endpoint.index) ? fleet.nextStep(on: endpoint.index, at: now) : nil
    }

    /// What is learned of step times, and where each engine's step loop is believed to be.
    package var latency: FleetLatency { fleet.latency }

    /// The latest pick for this work, explained; nil when it is forgotten (`SchedulerSettings.decisionsKept`).
    package func decision(for work: WorkID) -> PickDecision? { context.decisions.decision(for: work) }
}
