package import FleetTracking
package import FlowControl
package import NIOCore
package import Scheduling
import Synchronization

/// The effects that belong to one piece of work.
package enum WorkEffect: Sendable {
    case forward(WorkID, EndpointID, attempt: Int)
    case refuse(WorkID, Outcome, retryAfter: Duration?)
}

/// What holds the works of one event loop. Called on that loop only.
package protocol WorkHome: AnyObject, Sendable {
    /// Effects in decision order. May submit further events: their effects come in a later call, never inside this one.
    func receive(_ effects: [WorkEffect])
}

/// The live host of the scheduler: decides under one lock, acts after it.
///
/// Effects of a work are appended to its home loop's mailbox before the lock is released, so one work sees its
/// effects in decision order. When `submit` is called on the home loop itself, the mailbox is emptied before
/// `submit` returns (unless it is being emptied further up the stack, which then goes on with it); else the loop is woken.
///
/// The host owns the scheduler; nobody else may hold one in the same process. It never finalises a work: the home
/// does, exactly once.
package final class SchedulerHost: Sendable {
    /// Decides instead of the scheduler, under the same lock: scripted effects in tests of the rooms around it.
    package typealias Script = @Sendable (Event, Instant, inout [Effect]) -> Void
    /// Takes the wish for more jobs of a pool. Called without the lock, on whatever thread submitted the event.
    package typealias ClaimReceiver = @Sendable (PoolID, ModelID, _ limit: Int) -> Void
    /// Takes the scheduler's figures. Called without the lock, on whatever thread submitted the event.
    package typealias ObservationReceiver = @Sendable (Observation) -> Void

    private struct State: ~Copyable {
        var scheduler: Scheduler
        var holdTimes = HoldTimes()
        var lastNow = Instant(nanoseconds: .min)

        init(scheduler: consuming Scheduler) { self.scheduler = scheduler }
    }

    /// In a struct of its own: a bare closure that is taken out of a lock is wrapped anew each time.
    private struct Observer {
        let tell: ObservationReceiver
    }

    private struct Receivers {
        var claims: ClaimReceiver?
        var observer: Observer?
        /// Claims that came before their receiver; at most one of each model.
        var earlyClaims: [(pool: PoolID, model: ModelID, limit: Int)] = []
    }

    package let clock: MonotonicClock
    package let loops: [any EventLoop]
    private let state: Mutex<State>
    private let script: Script?
    private let mailboxes: [EffectMailbox]
    private let serials = Atomic<UInt64>(1)
    private let timer: WakeTimer
    private let receivers = Mutex(Receivers())
    /// Emptied effect buffers, so that a decision allocates nothing.
    private let spares = Mutex<[[Effect]]>([])

    /// `loops` give the homes their indices: work ids name a loop by its place here. 1…256 of them.
    package init(scheduler: consuming Scheduler, loops: [any EventLoop], clock: MonotonicClock = .system) {
        precondition((1...WorkID.maximumHomes).contains(loops.count), "\(loops.count) event loops, 1…256 are possible")
        self.clock = clock
        self.loops = loops
        self.script = nil
        state = Mutex(State(scheduler: scheduler))
        mailboxes = loops.map { EffectMailbox(loop: $0) }
        timer = WakeTimer(loop: loops[0])
    }

    /// A host whose decisions are scripted: for tests of the rooms around the scheduler.
    package init(loops: [any EventLoop], clock: MonotonicClock = .system, script: @escaping Script) {
        precondition((1...WorkID.maximumHomes).contains(loops.count), "\(loops.count) event loops, 1…256 are possible")
        self.clock = clock
        self.loops = loops
        self.script = script
        state = Mutex(State(scheduler: Scheduler()))
        mailboxes = loops.map { EffectMailbox(loop: $0) }
        timer = WakeTimer(loop: loops[0])
    }

    /// Sets the receiver of one loop. Once per loop, before the first `submit` that concerns it.
    package func attach(_ home: any WorkHome, loop index: Int) { mailboxes[index].attach(home) }

    /// Sets who brings jobs. Wishes that came earlier are handed over at once.
    package func receiveClaims(_ receiver: @escaping ClaimReceiver) {
        let early = receivers.withLock { receivers in
            receivers.claims = receiver
            defer { receivers.earlyClaims = [] }
            return receivers.earlyClaims
        }
        for claim in early { receiver(claim.pool, claim.model, claim.limit) }
    }

    /// Sets who counts the scheduler's figures; earlier ones are lost.
    package func receiveObservations(_ receiver: @escaping ObservationReceiver) {
        let observer = Observer(tell: receiver)
        receivers.withLock { $0.observer = observer }
    }

    /// A fresh id for a work whose home is this loop.
    package func makeWorkID(loop index: Int) -> WorkID {
        precondition(index < mailboxes.count, "no event loop \(index)")
        return WorkID(home: index, serial: serials.wrappingAdd(1, ordering: .relaxed).oldValue)
    }

    /// Hands an event to the scheduler now.
    package func submit(_ event: Event) { submit(event, nil, nil, then: []) }

    /// Hands two or three events to the scheduler in this order and under one lock, without an array of them.
    package func submit(_ first: Event, _ second: Event, _ third: Event? = nil) {
        submit(first, second, third, then: [])
    }

    /// Hands several events to the scheduler in this order and under one lock.
    package func submit(_ events: [Event]) {
        guard let first = events.first else { return }
        submit(first, nil, nil, then: events.dropFirst())
    }

    /// Stops the timer; nothing may be submitted afterwards that needs one.
    package func stop() { timer.stop() }

    /// How long the lock was held so far, for the metric `neap_scheduler_lock_hold_seconds`.
    package func holdTimes() -> HoldTimes { state.withLock { $0.holdTimes } }

    /// Reads the scheduler under the lock. Keep it short: no request is placed meanwhile.
    package func inspect<Value: Sendable>(_ read: (borrowing Scheduler, _ now: Instant) -> Value) -> Value {
        state.withLock { read($0.scheduler, clock.now()) }
    }

    private func submit(_ first: Event, _ second: Event?, _ third: Event?, then others: ArraySlice<Event>) {
        var effects = spares.withLock { $0.popLast() } ?? []
        var touched = LoopSet()
        var now = Instant.zero
        var hasOthers = false
        state.withLock { state in
            now = max(clock.now(), state.lastNow)
            state.lastNow = now
            decide(first, &state, now, &effects)
            if let second { decide(second, &state, now, &effects) }
            if let third { decide(third, &state, now, &effects) }
            for event in others { decide(event, &state, now, &effects) }
            for effect in effects {
                guard let (home, workEffect) = SchedulerHost.workEffect(effect) else {
                    hasOthers = true
                    continue
                }
                mailboxes[home].append(workEffect)
                touched.insert(home)
            }
            state.holdTimes.record(nanoseconds: clock.now().nanoseconds &- now.nanoseconds)
        }
        if hasOthers { act(on: effects, now: now) }
        giveBack(effects)
        touched.forEach { mailboxes[$0].deliver() }
    }

    private func giveBack(_ effects: consuming [Effect]) {
        // A burst must not pin its memory for ever.
        guard effects.capacity <= 1024 else { return }
        effects.removeAll(keepingCapacity: true)
        spares.withLock { [effects] in if $0.count < 64 { $0.append(effects) } }
    }

    private func decide(_ event: Event, _ state: inout State, _ now: Instant, _ effects: inout [Effect]) {
        if let script { return script(event, now, &effects) }
        state.scheduler.handle(event, now: now, effects: &effects)
    }

    private static func workEffect(_ effect: Effect) -> (home: Int, WorkEffect)? {
        switch effect {
        case .forward(let work, let endpoint, let attempt): (work.home, .forward(work, endpoint, attempt: attempt))
        case .refuse(let work, let outcome, let retry): (work.home, .refuse(work, outcome, retryAfter: retry))
        case .claimJobs, .wake, .observe: nil
        }
    }

    private func act(on effects: [Effect], now: Instant) {
        let observer = receivers.withLock { $0.observer }
        for effect in effects {
            switch effect {
            case .forward, .refuse: continue
            case .claimJobs(let pool, let model, let limit): claim(pool, model, limit)
            case .wake(let instant): timer.arm(at: instant, now: now) { [weak self] in self?.submit(.timerFired) }
            case .observe(let observation): observer?.tell(observation)
            }
        }
    }

    private func claim(_ pool: PoolID, _ model: ModelID, _ limit: Int) {
        let receiver = receivers.withLock { receivers in
            if receivers.claims == nil { receivers.earlyClaims.append((pool, model, limit)) }
            return receivers.claims
        }
        receiver?(pool, model, limit)
    }
}
