import FleetTracking
import FlowControl
import Scheduling

/// A world of chance around one scheduler, with a model that checks every effect as it comes.
///
/// It plays clients, engines, scrapers, the configuration and the job feeder, honest and dishonest, and delivers
/// timers when they are due.
struct RandomWorld: ~Copyable {
    enum Place: Equatable {
        case waiting
        case inFlight(Int, isStarted: Bool)
    }

    struct Piece {
        var arrival: Arrival
        var order: Int
        var place: Place
        var attempts = 0
        var expiresAt: Instant
    }

    struct Site {
        var models: Set<Int>
        var limit: Int
        var isDraining = false
        var isRemoved = false
        var realtime = 0
        var async = 0
        /// Since it first said "full"; nil: a sample showed room since, or it never did.
        var fullness: SiteFullness?
    }

    /// How large the pools are.
    enum Size {
        /// A few small endpoints, so that queues are long.
        case small
        /// More endpoints than are looked at for one pick, so that queues are short.
        case large
    }

    let size: Size
    var scheduler: Scheduler
    var generator: SeededGenerator
    var now = Instant.zero + .seconds(1)
    var pieces: [WorkID: Piece] = [:]
    /// Works in order of their ids, so that choices do not depend on the dictionary's order.
    var known: [WorkID] = []
    var ended: Set<WorkID> = []
    var sites: [Int: Site] = [:]
    var wakes: [Instant] = []
    var isPaused = false
    /// Limits of claims on their way, by pool and model.
    var claims: [[Int]: Int] = [:]
    var violations: [String] = []
    var digest = StableDigest()
    var serial: UInt64 = 0
    var forwards = 0
    let settings: PoolSettings

    init(seed: UInt64, size: Size = .small) {
        self.size = size
        var settings = PoolSettings()
        settings.flow.realtime = BandLimits(entries: 30, promptTokens: 40_000)
        settings.flow.lookahead = 3
        settings.flow.realtimeOverdue = .milliseconds(200)
        settings.flow.asyncOverdue = .milliseconds(400)
        settings.flow.async = BandLimits(entries: 40, promptTokens: 100_000)
        settings.readAhead.window = 10
        settings.readAhead.lowMark = 5
        settings.fleet.ejection.attemptFailures = 2
        settings.fleet.prefixIndex.assumedTokens = 2000
        settings.fleet.prefixIndex.maximumBlocks = 40
        self.settings = settings
        scheduler = Scheduler(seed: seed, pools: [settings, settings])
        generator = SeededGenerator(seed: seed &* 7919)
        for _ in 0..<(size == .small ? 1 + generator.below(5) : 2 * 260) { addEndpoint() }
    }

    mutating func run(steps: Int) {
        for index in 0..<steps where violations.isEmpty {
            step()
            // Every effect is checked as it comes; the sums are compared now and then, which is what costs time.
            if index % 8 == 0 { compare() }
        }
        wind()
    }

    private mutating func step() {
        switch generator.below(20) {
        case 0...5: arrive()
        case 6...12: answer()
        case 13: cancel()
        case 14: sample()
        case 15: configure()
        case 16: feed()
        case 17: gossip()
        default: pass(.milliseconds(Int64(generator.below(400))))
        }
    }

    // MARK: What happens

    private mutating func arrive(_ band: Band? = nil, pool: Int? = nil, model: Int? = nil) {
        serial += 1
        let pool = pool ?? generator.below(2)
        let chain = generator.below(3) == 0 ? [] : makeChain()
        let prompt = chain.last.map { $0.endByte / 4 + generator.below(200) } ?? generator.below(2500)
        let arrival = Arrival(
            work: WorkID(home: 0, serial: serial), pool: PoolID(pool),
            model: ModelID(model ?? generator.below(4)), band: band ?? (generator.below(3) == 0 ? .async : .realtime),
            promptTokens: prompt,
            expectedOutputTokens: generator.below(300), sequences: generator.below(8) == 0 ? 3 : 1, prefix: chain,
            timeToLive: .milliseconds(Int64(generator.below(4000))),
            deadline: now + .seconds(Int64(generator.below(100))), mayRetryAfterSend: generator.below(4) > 0)
        pieces[arrival.work] = Piece(
            arrival: arrival, order: Int(serial), place: .waiting, expiresAt: now + arrival.timeToLive)
        known.append(arrival.work)
        send(.arrived(arrival))
    }

    private mutating func makeChain() -> [PrefixBlock] {
        var hash = UInt64(generator.below(3))
        return (0..<(1 + generator.below(12))).map { place in
            hash = SeededGenerator.mix(hash &+ UInt64(generator.below(2)))
            return PrefixBlock(hash: hash, endByte: PrefixHasher.boundaries[place])
        }
    }

    private mutating func answer() {
        guard let work = choose(where: { $0 != .waiting }), let piece = pieces[work] else { return }
        guard case .inFlight(_, let isStarted) = piece.place else { return }
        switch generator.below(6) {
        case 0, 1:
            markStarted(work)
            send(.started(work))
        case 2: send(.progressed([Progress(work: work, outputTokens: generator.below(50))]))
        case 3, 4:
            let outcome: Outcome = generator.below(6) == 0 ? .clientGone : .completed
            finish(work, outcome, status: generator.below(6) == 0 ? 500 : 200)
        default: fail(work, isStarted: isStarted)
        }
    }

    private mutating func markStarted(_ work: WorkID) {
        guard case .inFlight(let site, false)? = pieces[work]?.place else { return }
        pieces[work]?.place = .inFlight(site, isStarted: true)
        sites[site]?.fullness?.answers += 1
    }

    /// The engine's answer ended. One that was not streamed is an answer only then.
    mutating func finish(_ work: WorkID, _ outcome: Outcome = .completed, status: Int = 200) {
        if outcome == .completed, status < 500 { markStarted(work) }
        leave(work)
        send(.finished(work, Completion(outcome: outcome, status: status, outputTokens: 20)))
    }

    private mutating func fail(_ work: WorkID, isStarted: Bool) {
        let before: [AttemptFailure] = [
            .connect, .full(retryAfter: nil), .full(retryAfter: .seconds(1)), .reset(bytesSent: true),
            .reset(bytesSent: false), .firstByteTimeout, .protocolError,
        ]
        let failure = isStarted ? .truncated : before[generator.below(before.count)]
        if case .inFlight(let site, _)? = pieces[work]?.place {
            count(work, site, by: -1)
            sites[site]?.fullness?.left(wasAnswered: isStarted)
            if case .full(let retryAfter) = failure {
                var fullness = sites[site]?.fullness ?? SiteFullness(since: now)
                fullness.said(retryAfter: retryAfter, at: now)
                sites[site]?.fullness = fullness
            }
        }
        pieces[work]?.place = .waiting
        send(.failed(work, failure))
    }

    private mutating func cancel() {
        guard let work = choose(where: { _ in true }) else { return }
        leave(work)
        send(.cancelled(work))
    }

    private mutating func sample() {
        let site = generator.below(size == .small ? 6 : sites.count)
        var sample = EngineSample(takenAt: now - .milliseconds(Int64(generator.below(300))))
        let own = sites[site].map { $0.realtime + $0.async } ?? 0
        sample.running = max(0, own + generator.below(5) - 2)
        sample.waiting = generator.below(4) == 0 ? generator.below(10) : 0
        sample.kvUse = Double(generator.below(110)) / 100
        if generator.below(2) == 0 {
            sample.blocks = generator.below(300)
            sample.blockSize = 16
        }
        sample.prefixQueries = Double(generator.below(1000))
        guard generator.below(5) > 0 else { return send(.sampleFailed(EndpointID(site))) }
        if sample.waiting == 0, let fullness = sites[site]?.fullness, sample.takenAt > fullness.since {
            sites[site]?.fullness = nil
        }
        send(.sampled(EndpointID(site), sample))
    }

    private mutating func configure() {
        let site = generator.below(max(1, sites.count))
        switch generator.below(8) {
        case 0: addEndpoint()
        case 1, 2:
            let isDraining = generator.below(3) == 0
            if sites[site]?.isRemoved == false { sites[site]?.isDraining = isDraining }
            send(.endpointDraining(EndpointID(site), isDraining))
        case 3:
            let models = [[0], [0, 1], [0, 1, 2], [1], [2]][generator.below(5)].map { ModelID($0) }
            if sites[site]?.isRemoved == false { sites[site]?.models = Set(models.map(\.index)) }
            send(.endpointModels(EndpointID(site), models))
        case 4:
            guard size == .large || generator.below(4) == 0 else { return }
            // One that runs something stays known until that ends.
            let busy = choose(where: { $0 != .waiting }).flatMap { pieces[$0]?.place }
            var leaving = site
            if case .inFlight(let site, _)? = busy { leaving = site }
            sites[leaving]?.isRemoved = true
            send(.endpointRemoved(EndpointID(leaving)))
        default: send(.probed(EndpointID(site), healthy: generator.below(3) > 0))
        }
    }

    private mutating func addEndpoint() {
        let index = sites.count
        let limit = size == .small ? 1 + generator.below(8) : 256
        sites[index] = Site(models: [0, 1], limit: limit)
        send(
            .endpointAdded(
                EndpointDescription(
                    id: EndpointID(index), pool: PoolID(index % 2), maximumSequences: limit, batchTokens: 2048,
                    kvTokens: generator.below(2) == 0 ? nil : 4000, models: [ModelID(0), ModelID(1)])))
    }

    /// The job feeder: answers a claim, or tells of jobs when none is unanswered.
    private mutating func feed() {
        let (pool, model) = (generator.below(2), generator.below(3))
        guard let limit = claims[[pool, model]] else {
            return send(.backlog(PoolID(pool), ModelID(model), pending: generator.below(30)))
        }
        for _ in 0..<generator.below(limit + 1) { arrive(.async, pool: pool, model: model) }
        claims[[pool, model]] = nil
        send(.claimed(PoolID(pool), ModelID(model), pending: generator.below(30)))
    }

    /// Events that a race may bring: unknown works, repeated ends.
    private mutating func gossip() {
        let work =
            known.isEmpty || generator.below(3) == 0
            ? WorkID(home: 3, serial: 1 << 40) : known[generator.below(known.count)]
        guard pieces[work] == nil else {
            isPaused.toggle()
            return send(.asyncPaused(isPaused))
        }
        switch generator.below(5) {
        case 0: send(.started(work))
        case 1: send(.failed(work, .connect))
        case 2: send(.cancelled(work))
        case 3: send(.progressed([Progress(work: work, outputTokens: 5)]))
        default: send(.finished(work, Completion(outcome: .completed, status: 200)))
        }
    }

    private mutating func pass(_ duration: Duration) {
        let end = now + duration
        while let due = wakes.min(), due <= end {
            now = max(now, due)
            wakes.removeAll { $0 <= now }
            send(.timerFired)
        }
        now = end
    }

    // MARK: Parts

    /// A known work by lot.
    private mutating func choose(where isRight: (Place) -> Bool) -> WorkID? {
        known.removeAll { pieces[$0] == nil && generator.below(2) == 0 }
        let right = known.filter { work in pieces[work].map { isRight($0.place) } ?? false }
        return right.isEmpty ? nil : right[generator.below(right.count)]
    }

    mutating func leave(_ work: WorkID) {
        if case .inFlight(let site, let isStarted)? = pieces[work]?.place {
            count(work, site, by: -1)
            sites[site]?.fullness?.left(wasAnswered: isStarted)
        }
        pieces[work] = nil
        ended.insert(work)
    }

    mutating func count(_ work: WorkID, _ site: Int, by sign: Int) {
        guard let arrival = pieces[work]?.arrival else { return }
        if arrival.band == .realtime {
            sites[site]?.realtime += sign * arrival.sequences
        } else {
            sites[site]?.async += sign * arrival.sequences
        }
    }

    mutating func send(_ event: Event) {
        var effects: [Effect] = []
        scheduler.handle(event, now: now, effects: &effects)
        for effect in effects {
            digest.absorb(effect)
            check(effect)
        }
    }

    mutating func complain(_ text: String) { violations.append("\(text) at \(now.nanoseconds) ns") }
}

/// What the model knows of an endpoint that said "full", told by what was seen alone.
struct SiteFullness {
    /// When it first said so.
    let since: Instant
    var times = 0
    var sent = (realtime: 0, async: 0)
    /// First bytes, and works that left.
    var answers = 0
    var departures = 0
    /// Nothing may go there before.
    var pausedUntil = Instant.zero

    init(since: Instant) { self.since = since }

    /// Of each band one work for each time that it said "full", two for each that it answered, one for each that left.
    var isWithinBounds: Bool { max(sent.realtime, sent.async) <= times + 2 * answers + departures }

    mutating func said(retryAfter: Duration?, at now: Instant) {
        times += 1
        pausedUntil = max(pausedUntil, now + max(.milliseconds(100), min(.seconds(2), retryAfter ?? .zero)))
    }

    mutating func left(wasAnswered: Bool) {
        departures += 1
        if wasAnswered { pausedUntil = .zero }
    }
}
