import EngineModel
import FleetTracking
import FlowControl
import Scheduling

/// The production scheduler among simulated engines, in virtual time.
///
/// Deterministic: the same trace, settings and binary give the same course of events, in every process.
package struct World: ~Copyable {
    let settings: SimulationSettings
    let trace: Trace
    var scheduler: Scheduler
    var agenda = Agenda()
    private(set) var now = Instant.zero
    var machines: [Machine] = []
    var visits: ContiguousArray<Visit> = []
    var result = SimulationResult()
    var digest = StableDigest()
    /// Real-time requests that have not ended.
    var open = 0
    /// Places in `settings.jobs` of those in the store.
    var storedJobs: [Int] = []
    /// All real-time visits before this one were sent or have ended.
    var oldestWaiting = 0
    var report = StepReport()
    var running: ContiguousArray<RunningSequence> = []
    var reports: [Progress] = []
    var effects: [Effect] = []
    private var nextArrival = 0

    /// Arrivals begin here, when the first scrapes are in.
    static let start = Instant.zero + .seconds(1)

    package init(trace: Trace, settings: SimulationSettings) {
        self.trace = trace
        self.settings = settings
        var limits = SchedulerSettings()
        limits.maximumWorks = 1 << 20
        limits.decisionsKept = 1
        scheduler = Scheduler(settings: limits, seed: settings.seed, pools: [settings.pool])
        storedJobs = Array(settings.jobs.indices.reversed())
    }

    /// Runs the trace to its end. After every so many turns `tell` hears how far it is.
    package mutating func run(
        tellingEvery turns: Int = .max, _ tell: (RunProgress) -> Void = { _ in }
    ) -> SimulationResult {
        var turnsLeft = turns
        install(settings.endpoints)
        scheduleArrival()
        agenda.add(.middle, at: World.start + .nanoseconds(settings.scaled(trace.span / 2)))
        let limit = World.start + .nanoseconds(settings.scaled(trace.span)) + settings.longestDrain
        while open > 0 || nextArrival < trace.requests.count, let entry = agenda.next() {
            if entry.at < now { violate("the clock went back from \(now) to \(entry.at)") }
            now = entry.at
            if let longest = settings.longestRun, now > World.start + longest { break }
            if now > limit {
                violate("\(open) requests never ended")
                break
            }
            take(entry)
            turnsLeft -= 1
            if turnsLeft == 0 {
                turnsLeft = turns
                tell(progress)
            }
            if settings.stopsAtLastArrival, nextArrival == trace.requests.count { break }
        }
        finish()
        return result
    }

    private var progress: RunProgress {
        let (all, ended) = (trace.requests.count, nextArrival - open)
        return RunProgress(
            virtualSeconds: max(0, (now - World.start).seconds),
            share: settings.stopsAtLastArrival
                ? Double(nextArrival) / Double(all) : Double(nextArrival + ended) / Double(2 * all))
    }

    private mutating func take(_ entry: Agenda.Entry) {
        let subject = Int(entry.subject)
        let detail = Int(entry.detail)
        switch entry.turn {
        case .arrival: arrive()
        case .middle: result.waitingInTheMiddle = waiting
        case .enqueue: enqueue(subject, attempt: detail)
        case .stepEnd: endStep(subject, life: detail)
        case .report: tellProgress(subject)
        case .scrape: scrape(subject)
        case .sample: deliverSample(subject)
        case .probe: probe(subject)
        case .timer: send(.timerFired)
        case .cancel: cancel(subject)
        case .claim: claim(detail)
        case .backlog: send(.backlog(PoolID(0), ModelID(0), pending: storedJobs.count))
        case .faultBegins: begin(settings.faults[subject])
        case .faultEnds: end(settings.faults[subject])
        }
    }

    mutating func violate(_ rule: String) {
        // One broken rule tends to break others; the first ones tell.
        if result.violations.count < 16 { result.violations.append("\(now.nanoseconds) ns: \(rule)") }
    }

    // MARK: Arrivals

    private mutating func scheduleArrival() {
        guard nextArrival < trace.requests.count else { return }
        agenda.add(.arrival, at: World.start + .nanoseconds(settings.scaled(trace.requests[nextArrival].arrival)))
    }

    private mutating func arrive() {
        let request = nextArrival
        nextArrival += 1
        scheduleArrival()
        open += 1
        result.requests += 1
        let visit = add(Visit(request: request, band: .realtime, arrivedAt: now))
        if let after = trace.requests[request].cancelAfter {
            agenda.add(.cancel, at: now.adding(nanoseconds: after), subject: visit)
        }
        if nextArrival == trace.requests.count {
            result.waitingAtTheEnd = waiting
            result.jobsCompletedInTime = result.jobsCompleted
        }
    }

    /// What waits before or in the engines.
    private var waiting: Int {
        let pool = scheduler.snapshot(at: now).pools[0]
        return pool.realtime.waiting + machines.reduce(0) { $0 + $1.engine.gauges.waiting }
    }

    func request(of visit: Visit) -> TraceRequest {
        visit.band == .realtime ? trace.requests[visit.request] : settings.jobs[visit.request]
    }

    mutating func add(_ visit: Visit) -> Int {
        visits.append(visit)
        let number = visits.count - 1
        let asked = request(of: visit)
        send(
            .arrived(
                Arrival(
                    work: WorkID(home: 0, serial: UInt64(number)), pool: PoolID(0), model: ModelID(0),
                    band: visit.band, promptTokens: asked.promptTokens,
                    expectedOutputTokens: settings.expectedOutputTokens,
                    prefix: trace.chain(of: asked, own: UInt64(number)), timeToLive: settings.timeToLive)))
        return number
    }

    private mutating func cancel(_ visit: Int) {
        guard visits[visit].endedAt == nil else { return }
        result.cancelled += 1
        withdraw(visit)
    }

    /// The client of a visit goes away.
    mutating func withdraw(_ visit: Int) {
        if let endpoint = visits[visit].endpoint, let sequence = visits[visit].sequence {
            machines[endpoint].engine.abort(sequence)
            machines[endpoint][sequence: sequence.index] = nil
        }
        leave(visit)
        send(.cancelled(work(visit)))
    }

    func work(_ visit: Int) -> WorkID { WorkID(home: 0, serial: UInt64(visit)) }

    /// A visit ends, for whatever reason: exactly once.
    mutating func leave(_ visit: Int) {
        guard visits[visit].endedAt == nil else { return violate("request \(visit) ended twice") }
        visits[visit].endedAt = now
        visits[visit].sequence = nil
        if let endpoint = visits[visit].endpoint { machines[endpoint].inFlight -= 1 }
        visits[visit].endpoint = nil
        if visits[visit].band == .realtime { open -= 1 }
    }
}
