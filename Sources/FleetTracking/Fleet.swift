/// All endpoints, by id, and which pool they are in. The one place where our own work is counted: picker, filler and
/// metrics read the same numbers.
package struct Fleet: ~Copyable {
    /// By `EndpointID.index`; those never added, or removed and without work, are not `isPresent`.
    private var endpoints: [Endpoint] = []
    /// Indices of the endpoints in the configuration, by pool, in the order in which they came.
    private var members: [[Int]]
    /// By pool.
    private var servers: [ModelServers]
    private let settings: [FleetSettings]
    private let maximumEndpoints: Int
    /// Endpoints that are ejected now.
    private var ejected: [Int] = []
    /// Predicted and learned latencies, by the same index.
    package private(set) var latency = FleetLatency()

    /// `settings` by pool.
    package init(settings: [FleetSettings], maximumEndpoints: Int) {
        self.settings = settings
        self.maximumEndpoints = maximumEndpoints
        members = Array(repeating: [], count: settings.count)
        servers = Array(repeating: ModelServers(), count: settings.count)
    }

    // MARK: Reading

    /// A copy, for snapshots and tests.
    package subscript(_ id: EndpointID) -> Endpoint? { isPresent(id.index) ? endpoints[id.index] : nil }

    package func isPresent(_ index: Int) -> Bool {
        index >= 0 && index < endpoints.count && endpoints[index].isPresent
    }

    /// Endpoints of a pool that are in the configuration, drained ones included.
    package func members(of pool: PoolID) -> [Int] { members[pool.index] }

    /// Members of a pool that serve the model, drained ones included, ascending.
    package func servers(of model: ModelID, in pool: PoolID) -> [Int] { servers[pool.index].servers(of: model) }

    /// The pool of an endpoint in the configuration; nil when it is unknown or was removed.
    package func pool(of id: EndpointID) -> PoolID? {
        guard isPresent(id.index), !endpoints[id.index].isRemoved else { return nil }
        return endpoints[id.index].pool
    }

    package func isDraining(_ index: Int) -> Bool { endpoints[index].isDraining }

    package func isHealthy(_ index: Int) -> Bool { endpoints[index].health.isHealthy }

    /// Prompt tokens of ours that await prefill on a member.
    package func pendingPromptTokens(_ index: Int) -> Int { endpoints[index].prefill.pending }

    /// Tokens from the start of this chain that a member is believed to hold.
    package func matchedTokens(_ chain: [PrefixBlock], on index: Int) -> Int {
        endpoints[index].prefix.matchedTokens(chain)
    }

    /// What a pick needs to know of a member, with its prefill let run until now.
    package mutating func facts(
        _ index: Int, for demand: WorkDemand, at now: Instant
    ) -> EndpointFacts {
        endpoints[index].facts(for: demand, at: now)
    }

    /// Whether the model is among those of an endpoint.
    package func serves(_ model: ModelID, _ index: Int) -> Bool { endpoints[index].models.contains(model) }

    /// Whether the work would fit on a member if others of its band gave way.
    package func couldTake(_ demand: WorkDemand, _ index: Int, at now: Instant) -> Bool {
        endpoints[index].couldTake(demand, at: now)
    }

    /// Sequences that a member could still run, by the rules of the band; below 0 when it has too many.
    package func freeSequences(_ index: Int, for band: Band, at now: Instant) -> Int {
        let endpoint = endpoints[index]
        return endpoint.capacity.sequences - endpoint.ownSequences - endpoint.foreignSequences(for: band, at: now)
    }

    /// When time alone may make room on a member: the end of its pause, or of the prefill at its front (async only).
    package mutating func nextRoom(_ index: Int, band: Band, after now: Instant) -> Instant? {
        let fullUntil = endpoints[index].fullness.pausedUntil
        let pause = fullUntil > now ? fullUntil : nil
        guard band == .async else { return pause }
        // No pick may have looked at it for long: without this the same prefill would be waited for again and again.
        endpoints[index].prefill.advance(to: now, rate: endpoints[index].prefillRate)
        let tokens = endpoints[index].prefill.frontTokens
        guard tokens > 0 else { return pause }
        // Not more often than every 2 ms.
        let seconds = min(60, Double(tokens) / endpoints[index].prefillRate)
        let prefilled = now + max(.milliseconds(2), .nanoseconds(Int64(seconds * 1e9) + 1))
        return min(pause ?? prefilled, prefilled)
    }

    /// All endpoints that are known, for snapshots.
    package var all: [Endpoint] { endpoints.filter(\.isPresent) }

    /// When the next ejected endpoint may return; nil: none is ejected.
    package var nextReturn: Instant? {
        var next: Instant?
        for index in ejected {
            guard case .ejected(let until) = endpoints[index].health.state else { continue }
            next = min(next ?? until, until)
        }
        return next
    }

    // MARK: Configuration

    /// Adds an endpoint. False when the id was used before, is out of range, or names no pool.
    package mutating func add(_ description: EndpointDescription) -> Bool {
        let (index, pool) = (description.id.index, description.pool.index)
        guard index >= 0, index < maximumEndpoints, pool >= 0, pool < settings.count else { return false }
        while endpoints.count < index { endpoints.append(Endpoint.absent(endpoints.count)) }
        let endpoint = Endpoint(description, settings: settings[pool])
        if index == endpoints.count {
            endpoints.append(endpoint)
        } else {
            guard !endpoints[index].wasUsed else { return false }
            endpoints[index] = endpoint
        }
        members[pool].append(index)
        servers[pool].add(index, models: description.models)
        latency.add(index, description, settings[pool])
        return true
    }

    package mutating func setModels(_ models: [ModelID], of id: EndpointID) -> Bool {
        guard let pool = pool(of: id)?.index else { return false }
        servers[pool].remove(id.index, models: endpoints[id.index].models)
        servers[pool].add(id.index, models: models)
        return change(id) { $0.models = models }
    }

    package mutating func setLimits(_ limits: EngineLimits, of id: EndpointID) -> Bool {
        guard change(id, { $0.setLimits(limits) }) else { return false }
        let endpoint = endpoints[id.index]
        latency.resized(
            id.index, maximumSequences: endpoint.capacity.sequences, batchTokens: endpoint.batchTokens)
        return true
    }

    package mutating func setDraining(_ isDraining: Bool, of id: EndpointID) -> Bool {
        change(id) { $0.isDraining = isDraining }
    }

    package mutating func remove(_ id: EndpointID) -> Bool {
        guard let pool = pool(of: id)?.index else { return false }
        members[pool].removeAll { $0 == id.index }
        servers[pool].remove(id.index, models: endpoints[id.index].models)
        ejected.removeAll { $0 == id.index }
        _ = change(id) { $0.isRemoved = true }
        dropIfGone(id.index)
        return true
    }

    // MARK: What samples and probes say

    package mutating func observe(_ sample: EngineSample, of id: EndpointID, at now: Instant) -> Bool {
        guard change(id, { $0.observe(sample, at: now) }) else { return false }
        let index = id.index
        latency.sampled(
            index, foreign: endpoints[index].foreign, maximumSequences: endpoints[index].capacity.sequences)
        return true
    }

    package mutating func sampleFailed(_ id: EndpointID) -> Bool {
        change(id) { $0.failedSamples = min($0.failedSamples + 1, 1 << 20) }
    }

    package mutating func probed(_ id: EndpointID, healthy: Bool, at now: Instant) -> HealthChange? {
        guard change(id, { $0.health.probed(healthy: healthy) }) else { return nil }
        if !healthy { return ejectIfFailing(id, at: now) }
        if endpoints[id.index].health.isHealthy { ejected.removeAll { $0 == id.index } }
        return nil
    }

    package mutating func attemptSucceeded(_ id: EndpointID) { _ = change(id) { $0.health.attemptSucceeded() } }

    package mutating func attemptFailed(_ id: EndpointID, at now: Instant) -> HealthChange? {
        guard change(id, { $0.health.attemptFailed() }) else { return nil }
        return ejectIfFailing(id, at: now)
    }

    /// An endpoint said that it is full to the work of this ticket. Not a failure.
    package mutating func saidFull(_ id: EndpointID, retryAfter: Duration?, ticket: Int, at now: Instant) {
        _ = change(id) {
            $0.fullness.said(retryAfter: retryAfter, to: ticket, next: $0.prefill.nextTicket, at: now)
        }
    }

    /// Lets ejections end whose time is over.
    package mutating func advance(to now: Instant) {
        guard !ejected.isEmpty else { return }
        for index in ejected { _ = endpoints[index].health.advance(to: now) }
        ejected.removeAll { endpoints[$0].health.isHealthy }
    }

    // MARK: Our own work

    /// Counts a work that is sent now. `uncachedTokens`: the part of its prompt that the engine must prefill.
    /// Returns the work's ticket: its number among the works sent there, and its place in the engine's prefill.
    package mutating func dispatch(_ demand: WorkDemand, uncachedTokens: Int, to id: EndpointID, at now: Instant) -> Int
    {
        var ticket = 0
        _ = change(id) { endpoint in
            endpoint.change(demand.band) { $0.add(demand) }
            endpoint.residentTokens += demand.promptTokens
            endpoint.prefill.advance(to: now, rate: endpoint.prefillRate)
            ticket = endpoint.prefill.add(tokens: max(0, uncachedTokens), band: demand.band, now: now)
            endpoint.fullness.sent(demand.band)
            endpoint.trials.sent(ticket, demand.band, serial: endpoint.health.returns)
            endpoint.recordHistory(at: now)
        }
        if isPresent(id.index) { latency.sent(demand, uncached: uncachedTokens, to: id.index, at: now) }
        return ticket
    }

    /// The prompt with this chain is on its way to the engine and will be cached there.
    package mutating func remember(_ chain: [PrefixBlock], on id: EndpointID) {
        _ = change(id) { $0.prefix.insert(chain) }
    }

    /// What a member is believed to hold of a chain that is about to be sent there.
    package func prefixMatch(_ chain: [PrefixBlock], on index: Int) -> PrefixMatch {
        endpoints[index].prefix.match(chain)
    }

    /// An answer said what the engine found of a prompt's `promptTokens` (nil: it said nothing), and had `outputTokens`.
    package mutating func found(_ cached: Int?, of match: PrefixMatch, outputTokens: Int, on id: EndpointID) {
        _ = change(id) { endpoint in
            endpoint.prefix.pass(tokens: outputTokens)
            if let cached, cached > 0 { endpoint.tellsCached = true }
            guard endpoint.tellsCached else { return }
            endpoint.prefix.correct(match, found: max(0, cached ?? 0))
        }
    }

    /// A first response byte for the work of this ticket: everything up to it is prefilled, unless it is a refusal's
    /// (`isPrefilled` false). `hasMore`: the endpoint may thereby take more than before.
    package mutating func answered(
        _ ticket: Int, _ band: Band, on id: EndpointID, isPrefilled: Bool = true
    ) -> (hasMore: Bool, change: HealthChange?) {
        var hasMore = false
        var trust = EndpointHealth.Trust.same
        _ = change(id) {
            if isPrefilled { $0.prefill.complete(ticket) }
            if $0.trials.contains(ticket, serial: $0.health.returns) { trust = $0.health.answerBegan() }
            hasMore = $0.fullness.answered(ticket, band) || trust != .same
        }
        return (hasMore, trust == .restored ? .restored(id) : nil)
    }

    /// A streamed answer measured a prefill.
    package mutating func measuredPrefill(tokens: Int, took elapsed: Duration, on id: EndpointID) {
        _ = change(id) { $0.observePrefill(tokens: tokens, took: elapsed) }
    }

    package mutating func produced(_ tokens: Int, on id: EndpointID) {
        _ = change(id) { $0.residentTokens += tokens }
    }

    /// A stream's first token came: its prefill is over, and a step of the engine.
    package mutating func began(_ first: FirstToken, on id: EndpointID, at now: Instant) {
        if isPresent(id.index) { latency.began(first, on: id.index, at: now) }
    }

    /// So many tokens of the stream with this ticket were counted (`produced`); the last of them came at `last`.
    package mutating func paced(_ ticket: Int, tokens: Int, last: Instant?, on id: EndpointID, at now: Instant) {
        if isPresent(id.index) { latency.progressed(ticket, tokens: tokens, last: last, on: id.index, at: now) }
    }

    /// What a request would meet on a member.
    @inline(__always)
    package mutating func forecast(_ query: ForecastQuery, on index: Int, at now: Instant) -> LatencyForecast {
        latency.forecast(query, on: index, at: now)
    }

    /// How long the next step to begin on a member will take.
    package mutating func nextStep(on index: Int, at now: Instant) -> Duration {
        .nanoseconds(Int64(min(9e18, latency.nextStep(on: index, at: now) * 1e6)))
    }

    /// Takes a work out again.
    package mutating func release(_ departure: Departure, from id: EndpointID, at now: Instant) {
        _ = change(id) { endpoint in
            endpoint.change(departure.demand.band) { $0.remove(departure.demand) }
            endpoint.residentTokens -= departure.demand.promptTokens + departure.producedTokens
            // Nothing where its prefill ended; a refusal, too, is answered before that.
            endpoint.prefill.withdraw(departure.ticket)
            endpoint.fullness.left(departure.ticket, departure.demand.band, wasAnswered: departure.wasAnswered)
            endpoint.trials.left(departure.ticket, departure.demand.band, serial: endpoint.health.returns)
            endpoint.recordHistory(at: now)
        }
        if isPresent(id.index) { latency.left(departure, from: id.index, at: now) }
        dropIfGone(id.index)
    }

    // MARK: Parts

    private mutating func change(_ id: EndpointID, _ body: (inout Endpoint) -> Void) -> Bool {
        guard isPresent(id.index) else { return false }
        body(&endpoints[id.index])
        return true
    }

    private mutating func dropIfGone(_ index: Int) {
        guard isPresent(index), endpoints[index].isRemoved, endpoints[index].works == 0 else { return }
        endpoints[index] = Endpoint.absent(index, wasUsed: true)
    }

    /// Ejects an endpoint that fails, unless no other of its pool is in rotation.
    private mutating func ejectIfFailing(_ id: EndpointID, at now: Instant) -> HealthChange? {
        let health = endpoints[id.index].health
        guard health.isFailing, health.isHealthy, !endpoints[id.index].isRemoved else { return nil }
        guard members[endpoints[id.index].pool.index].contains(where: { $0 != id.index && isSound($0) }) else {
            return nil
        }
        _ = change(id) { $0.health.eject(at: now) }
        ejected.append(id.index)
        return .ejected(id)
    }

    private func isSound(_ index: Int) -> Bool {
        endpoints[index].health.isHealthy && !endpoints[index].health.isFailing && !endpoints[index].isDraining
    }
}

/// What became of an endpoint's place in rotation.
package enum HealthChange: Sendable, Equatable {
    case ejected(EndpointID)
    case restored(EndpointID)
}

/// A work that leaves an endpoint.
package struct Departure: Sendable {
    package var demand: WorkDemand
    /// Output tokens counted for it.
    package var producedTokens: Int
    /// From its `dispatch`.
    package var ticket: Int
    /// It had a first byte, or a whole answer that was not streamed.
    package var wasAnswered: Bool

    package init(demand: WorkDemand, producedTokens: Int, ticket: Int, wasAnswered: Bool) {
        self.demand = demand
        self.producedTokens = producedTokens
        self.ticket = ticket
        self.wasAnswered = wasAnswered
    }
}

extension Endpoint {
    /// Fills a place in the array that no endpoint holds (yet, or any more).
    fileprivate static func absent(_ index: Int, wasUsed: Bool = false) -> Endpoint {
        var settings = FleetSettings()
        settings.freshness.historyEntries = 2
        var endpoint = Endpoint(EndpointDescription(id: EndpointID(index), pool: PoolID(0)), settings: settings)
        endpoint.isPresent = false
        endpoint.wasUsed = wasUsed
        return endpoint
    }

    fileprivate mutating func change(_ band: Band, _ body: (inout BandLoad) -> Void) {
        if band == .realtime { body(&realtime) } else { body(&async) }
    }

    fileprivate mutating func recordHistory(at now: Instant) {
        history.record(OwnLoad(sequences: ownSequences, residentTokens: residentTokens), at: now)
    }
}
