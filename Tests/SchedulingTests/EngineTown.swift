import EndpointPicking
import EngineModel
import FleetTracking
import FlowControl
import Glibc
import Scheduling

/// The scheduler with simulated engines in virtual time: arrivals, steps, what a relay would tell of them, scrapes.
///
/// Deterministic: one seed, one course of events.
struct EngineTown: ~Copyable {
    /// One request and what was seen of it.
    struct Visit {
        var prompt: Int
        var output: Int
        var session: [UInt64] = []
        var chain: [PrefixBlock] = []
        var arrivedAt = Instant.zero
        var endpoint: Int?
        var sequence: SequenceID?
        var forecast: LatencyForecast?
        var sentAt = Instant.zero
        var firstAt: Instant?
        var endedAt: Instant?
        var told = 0
        var isCancelled = false
        /// The engine's own count.
        var cached = 0
        /// The step after the first token: predicted when it began, and as it was, milliseconds.
        var nextStep: (predicted: Double, actual: Double)?
    }

    struct Machine {
        var engine: BatchingEngine
        /// Steps take so many times what the profile says.
        var slowness = 1.0
        var stepEndedAt = Instant.zero
        /// Visits by sequence index.
        var visits: [Int: Int] = [:]
        var begun: [Int] = []
    }

    private enum Turn {
        case cancel(Int)
        case enqueue(Int, endpoint: Int)
        case stepEnd(Int)
        case report
        case scrape
        case timer
    }

    private struct Entry: Comparable {
        var at: Instant
        var number: UInt64
        var turn: Turn
        static func < (left: Entry, right: Entry) -> Bool { (left.at, left.number) < (right.at, right.number) }
        static func == (left: Entry, right: Entry) -> Bool { left.number == right.number }
    }

    var scheduler: Scheduler
    var now = Instant.zero + .seconds(10)
    var machines: [Machine] = []
    var visits: [Visit] = []
    var generator: SeededGenerator
    /// Time from sending until the prompt is in the engine's queue.
    var overhead = Duration.milliseconds(5)
    /// Every so many requests one is cancelled; 0: none.
    var cancelEvery = 0
    private var agenda = BinaryHeap<Entry>()
    private var entries: UInt64 = 0
    private var report = StepReport()
    private var running: ContiguousArray<RunningSequence> = []
    private let profile: EngineProfile

    init(_ profile: EngineProfile, endpoints: Int, pool: PoolSettings, seed: UInt64) {
        self.profile = profile
        generator = SeededGenerator(seed: seed)
        scheduler = Scheduler(seed: seed, pools: [pool])
        for index in 0..<endpoints {
            var settings = EngineSettings(profile: profile)
            settings.generatesContent = false
            settings.seed = seed &+ UInt64(index)
            machines.append(Machine(engine: BatchingEngine(settings: settings)))
            send(
                .endpointAdded(
                    EndpointDescription(
                        id: EndpointID(index), pool: PoolID(0), maximumSequences: profile.maximumSequences,
                        batchTokens: profile.batchTokens, kvTokens: profile.kvTokens, models: [ModelID(0)])))
        }
        add(.report, after: .milliseconds(50))
        add(.scrape, after: .milliseconds(500))
    }

    private mutating func add(_ turn: Turn, after delay: Duration) {
        entries += 1
        agenda.insert(Entry(at: now + delay, number: entries, turn: turn))
    }

    // MARK: Workload

    /// A conversation's turn without a known prefix: lognormal lengths, medians 700 and 150 tokens.
    static func chat(_ generator: inout SeededGenerator, _ number: Int) -> Visit {
        Visit(
            prompt: length(&generator, median: 700, sigma: 1, most: 8000),
            output: length(&generator, median: 150, sigma: 0.8, most: 1000))
    }

    private static func length(
        _ generator: inout SeededGenerator, median: Double, sigma: Double, most: Int
    ) -> Int {
        let uniform = max(1e-12, generator.unit())
        let normal = (-2 * log(uniform)).squareRoot() * cos(2 * Double.pi * generator.unit())
        return min(most, max(1, Int(median * exp(sigma * normal))))
    }

    /// A request at the time `now`.
    mutating func arrive(_ visit: Visit) {
        var visit = visit
        visit.arrivedAt = now
        visits.append(visit)
        let number = visits.count - 1
        var arrival = Arrival(
            work: WorkID(home: 0, serial: UInt64(number)), pool: PoolID(0), model: ModelID(0), band: .realtime,
            promptTokens: visit.prompt, expectedOutputTokens: 256, prefix: visit.chain, timeToLive: .seconds(60))
        arrival.isStream = true
        send(.arrived(arrival))
        // Some before their first token, others while they decode.
        if cancelEvery > 0, number % cancelEvery == 0 {
            add(.cancel(number), after: .milliseconds(number % (2 * cancelEvery) == 0 ? 8 : 600))
        }
    }

    private mutating func cancel(_ number: Int) {
        guard visits[number].endedAt == nil else { return }
        visits[number].isCancelled = true
        visits[number].endedAt = now
        if let endpoint = visits[number].endpoint, let id = visits[number].sequence {
            machines[endpoint].engine.abort(id)
            machines[endpoint].visits[id.index] = nil
            machines[endpoint].begun.removeAll { $0 == number }
        }
        send(.cancelled(WorkID(home: 0, serial: UInt64(number))))
    }

    /// Requests with exponential gaps until so many have come.
    mutating func run(
        _ count: Int, perSecond rate: Double, until end: Duration = .seconds(100_000),
        make: (inout SeededGenerator, Int) -> Visit
    ) {
        let deadline = now + end
        for number in 0..<count {
            let gap = -log(max(1e-12, generator.unit())) / rate
            let due = now + .nanoseconds(Int64(gap * 1e9))
            guard due < deadline else { return }
            runAgenda(to: due)
            arrive(make(&generator, number))
        }
    }

    // MARK: The course of time

    mutating func runAgenda(to instant: Instant) {
        while let first = agenda.first, first.at <= instant {
            _ = agenda.popFirst()
            now = first.at
            take(first.turn)
        }
        now = instant
    }

    private mutating func take(_ turn: Turn) {
        switch turn {
        case .cancel(let visit): cancel(visit)
        case .enqueue(let visit, let endpoint): enqueue(visit, endpoint)
        case .stepEnd(let endpoint): endStep(endpoint)
        case .report:
            for endpoint in machines.indices { tellProgress(endpoint) }
            add(.report, after: .milliseconds(50))
        case .scrape:
            for endpoint in machines.indices { scrape(endpoint) }
            add(.scrape, after: .milliseconds(500))
        case .timer: send(.timerFired)
        }
    }

    mutating func send(_ event: Event) {
        var effects: [Effect] = []
        scheduler.handle(event, now: now, effects: &effects)
        for effect in effects {
            switch effect {
            case .forward(let work, let endpoint, _):
                let number = Int(work.rawValue & 0xffff_ffff)
                visits[number].endpoint = endpoint.index
                visits[number].sentAt = now
                visits[number].forecast = scheduler.forecast(of: work)
                add(.enqueue(number, endpoint: endpoint.index), after: overhead)
            case .wake(let at): add(.timer, after: max(.zero, at - now))
            default: continue
            }
        }
    }

    private mutating func enqueue(_ number: Int, _ endpoint: Int) {
        guard !visits[number].isCancelled else { return }
        var request = SequenceRequest(
            prompt: PromptDigest(outline: visits[number].prompt, known: visits[number].session, seed: UInt64(number)),
            maximumTokens: visits[number].output)
        request.ignoresEnd = true
        guard case .queued(let id) = machines[endpoint].engine.submit(request) else { return }
        visits[number].sequence = id
        machines[endpoint].visits[id.index] = number
        beginStep(endpoint)
    }

    private var inStep: Set<Int> = []

    private mutating func beginStep(_ endpoint: Int) {
        guard !inStep.contains(endpoint), let plan = machines[endpoint].engine.beginStep() else { return }
        inStep.insert(endpoint)
        let nanoseconds = Int64(Double(plan.nanoseconds) * machines[endpoint].slowness)
        for number in machines[endpoint].begun { visits[number].nextStep?.actual = Double(nanoseconds) / 1e6 }
        machines[endpoint].begun = []
        add(.stepEnd(endpoint), after: .nanoseconds(nanoseconds))
    }

    private mutating func endStep(_ endpoint: Int) {
        machines[endpoint].engine.endStep(into: &report)
        machines[endpoint].stepEndedAt = now
        inStep.remove(endpoint)
        var ended: [Int] = []
        let emissions = report.emissions
        for emission in emissions {
            guard let number = machines[endpoint].visits[emission.sequence.index] else { continue }
            if emission.outputTokens == 1 {
                visits[number].firstAt = now
                visits[number].cached = Int(emission.cachedTokens)
                machines[endpoint].begun.append(number)
                send(.started(WorkID(home: 0, serial: UInt64(number))))
            }
            if emission.finish != nil { ended.append(number) }
        }
        for number in ended { finish(number, endpoint) }
        machines[endpoint].begun.removeAll { visits[$0].endedAt != nil }
        if !machines[endpoint].begun.isEmpty {
            let predicted = scheduler.nextStep(on: EndpointID(endpoint), at: now)?.milliseconds ?? 0
            for number in machines[endpoint].begun { visits[number].nextStep = (predicted, 0) }
        }
        beginStep(endpoint)
    }

    private mutating func finish(_ number: Int, _ endpoint: Int) {
        let work = WorkID(home: 0, serial: UInt64(number))
        let visit = visits[number]
        let untold = visit.output - visit.told
        if untold > 0 { send(.progressed([Progress(work: work, outputTokens: untold, lastOutputAt: now)])) }
        visits[number].endedAt = now
        if let id = visit.sequence { machines[endpoint].visits[id.index] = nil }
        send(
            .finished(
                work,
                Completion(
                    outcome: .completed, status: 200, promptTokens: visit.prompt, outputTokens: visit.output,
                    cachedTokens: visit.cached)))
    }

    private mutating func tellProgress(_ endpoint: Int) {
        machines[endpoint].engine.copyRunning(into: &running)
        var reports: [Progress] = []
        for sequence in running {
            guard let number = machines[endpoint].visits[sequence.index] else { continue }
            let untold = Int(sequence.outputTokens) - visits[number].told
            guard untold > 0, visits[number].firstAt != nil else { continue }
            visits[number].told += untold
            reports.append(
                Progress(
                    work: WorkID(home: 0, serial: UInt64(number)), outputTokens: untold,
                    lastOutputAt: machines[endpoint].stepEndedAt))
        }
        if !reports.isEmpty { send(.progressed(reports)) }
    }

    private mutating func scrape(_ endpoint: Int) {
        let gauges = machines[endpoint].engine.gauges
        var sample = EngineSample(takenAt: now)
        sample.running = gauges.running
        sample.waiting = gauges.waiting
        sample.kvUse = gauges.kvUse
        sample.blockSize = 16
        sample.blocks = profile.kvTokens / 16
        send(.sampled(EndpointID(endpoint), sample))
    }
}
