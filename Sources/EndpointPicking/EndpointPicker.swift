package import FleetTracking

/// What came of a pick.
package enum PickResult: Sendable, Equatable {
    case chosen(EndpointID, matchedTokens: Int)
    /// Endpoints serve the model and take new work, but none has room now (or none that was not tried).
    case noRoom
    /// No endpoint of the pool serves the model and takes new work.
    case noEndpoint
}

/// A work to be placed, with what tells its pick from others.
package struct PickTask: Sendable {
    package var work: WorkID
    package var attempt: Int
    package var request: PickRequest
    /// Endpoints where earlier attempts failed.
    package var tried: TriedEndpoints
    /// Has no room for this work, whatever it has: it is kept for another.
    package var closed: EndpointID?

    package init(work: WorkID, attempt: Int, request: PickRequest, tried: TriedEndpoints = TriedEndpoints()) {
        self.work = work
        self.attempt = attempt
        self.request = request
        self.tried = tried
    }
}

/// Picks endpoints for one pool: gathers those that serve the model, filters, scores, chooses, and keeps the explanation.
///
/// Holds only buffers that are reused, the round-robin position and what large pools need for a shortlist.
package struct EndpointPicker: Sendable {
    private let profile: PickProfile
    private let profileIndex: Int
    private var candidates: [Candidate] = []
    private var totals: [Double] = []
    /// One row for each scorer.
    private var values: [[Double]] = []
    private var shortlist: [Int] = []
    private var turn = 0
    private var holders = RecentHolders()
    private var common = CommonPrefix()
    /// Of the endpoint chosen last, with the prefix that it is really believed to hold; nil: nothing was chosen.
    package private(set) var forecast: LatencyForecast?

    /// Where more endpoints than this serve the model a shortlist is scored: the prompt's recent holders and as many
    /// drawn by lot as make `shortlistLength`. When none of these has room all are looked at. Default 256.
    package static let shortlistFrom = 256
    package static let shortlistLength = 64
    private static let holdersAsked = 8

    /// `index`: the pool's, by which the decision ring knows the profile.
    package init(profile: PickProfile, index: Int) {
        self.profile = profile
        profileIndex = index
        values = profile.scorers.map { _ in [] }
    }

    /// Counts a new prompt of the pool. Returns the tokens at its start that most recent prompts share.
    package mutating func observe(_ chain: [PrefixBlock], bytesPerToken: Int) -> Int {
        let blocks = common.observe(chain)
        return blocks == 0 ? 0 : chain[blocks - 1].endByte / max(1, bytesPerToken)
    }

    /// A prompt with this chain went to this endpoint.
    package mutating func remember(_ chain: [PrefixBlock], on endpoint: EndpointID, poolSize: Int) {
        if poolSize > EndpointPicker.shortlistFrom { holders.insert(chain, on: endpoint) }
    }

    /// Chooses an endpoint for the task. Changes nothing in the fleet but the passing of time in its prefill queues.
    package mutating func pick(_ task: PickTask, from context: inout PickContext, fleet: inout Fleet) -> PickResult {
        forecast = nil
        let servers = fleet.servers(of: task.request.model, in: context.pool)
        guard !servers.isEmpty else { return .noEndpoint }
        var passed = Passage()
        candidates.removeAll(keepingCapacity: true)
        if servers.count > EndpointPicker.shortlistFrom {
            makeShortlist(task.request.prefix, from: servers, &context.generator)
            passed = gather(shortlist, task, at: context.now, &fleet)
        }
        if candidates.isEmpty { passed = gather(servers, task, at: context.now, &fleet) }
        guard !candidates.isEmpty else { return passed.canServe ? .noRoom : .noEndpoint }
        for index in candidates.indices {
            candidates[index].matchedTokens =
                task.request.prefix.isEmpty
                ? 0 : fleet.matchedTokens(task.request.prefix, on: candidates[index].endpoint.index)
        }
        var request = task.request
        if profile.usesForecasts { foresee(&request, context.now, &context.generator, &fleet) }
        for filter in profile.refinements { filter.apply(&candidates, request: request) }
        score(request)
        let (index, reason) = choose(&context.generator)
        let chosen = candidates[index]
        let forecast = fleet.forecast(
            EndpointPicker.query(request, matchedTokens: chosen.matchedTokens), on: chosen.endpoint.index,
            at: context.now)
        self.forecast = forecast
        var record = DecisionRing.Record(
            work: task.work, attempt: task.attempt, at: context.now, chosen: chosen.endpoint, reason: reason,
            considered: passed.considered, passed: candidates.count, kept: 0, matchedTokens: chosen.matchedTokens,
            ignoredHealth: passed.ignoredHealth, profile: profileIndex)
        record.distrustedForecasts = profile.usesForecasts && !request.hasForecasts
        record.firstTokenMilliseconds = Float(forecast.firstToken)
        record.interTokenMilliseconds = Float(forecast.interToken)
        explain(record, chosen: index, in: &context.decisions)
        return .chosen(chosen.endpoint, matchedTokens: chosen.matchedTokens)
    }

    /// Predicts what the work would meet on each candidate, in one pass. What most prompts share counts as held
    /// everywhere: it soon is, and else the first endpoint to hold it would draw everything.
    private mutating func foresee(
        _ request: inout PickRequest, _ now: Instant, _ generator: inout SeededGenerator, _ fleet: inout Fleet
    ) {
        request.lot = generator.unit()
        request.hasForecasts = true
        for index in candidates.indices {
            let matched = max(candidates[index].matchedTokens, request.commonTokens)
            candidates[index].forecast = fleet.forecast(
                EndpointPicker.query(request, matchedTokens: matched), on: candidates[index].endpoint.index, at: now)
            if !candidates[index].forecast.isTrusted { request.hasForecasts = false }
        }
    }

    private static func query(_ request: PickRequest, matchedTokens: Int) -> ForecastQuery {
        ForecastQuery(
            promptTokens: request.promptTokens, matchedTokens: matchedTokens, sequences: request.sequences,
            outputTokens: request.likelyOutputTokens)
    }

    // MARK: Gathering

    /// What was seen before the filters.
    private struct Passage {
        var considered = 0
        /// Some endpoint takes new work.
        var canServe = false
        var ignoredHealth = false
    }

    /// Fills `candidates` with those of the endpoints that pass the filters. When no endpoint that could serve is in
    /// rotation, all count as being in it: what fails may work, what gets nothing cannot.
    private mutating func gather(
        _ indices: [Int], _ task: PickTask, at now: Instant, _ fleet: inout Fleet
    ) -> Passage {
        candidates.removeAll(keepingCapacity: true)
        let request = task.request
        let demand = WorkDemand(
            band: request.band, sequences: request.sequences, promptTokens: request.promptTokens,
            expectedOutputTokens: request.expectedOutputTokens)
        for index in indices {
            var candidate = Candidate(endpoint: EndpointID(index), facts: fleet.facts(index, for: demand, at: now))
            candidate.wasTried = task.tried.contains(candidate.endpoint)
            if candidate.endpoint == task.closed { candidate.hasRoom = false }
            candidates.append(candidate)
        }
        var passage = Passage(considered: candidates.count, canServe: candidates.contains { !$0.isDraining })
        passage.ignoredHealth = request.band == .realtime && ignoresHealth()
        for filter in profile.filters { filter.apply(&candidates, request: request) }
        return passage
    }

    private mutating func ignoresHealth() -> Bool {
        guard !candidates.contains(where: { $0.isHealthy && !$0.isDraining && !$0.wasTried }),
            candidates.contains(where: { !$0.isHealthy })
        else { return false }
        for index in candidates.indices { candidates[index].isHealthy = true }
        return true
    }

    private mutating func makeShortlist(
        _ chain: [PrefixBlock], from servers: [Int], _ generator: inout SeededGenerator
    ) {
        shortlist.removeAll(keepingCapacity: true)
        holders.holders(of: chain, limit: EndpointPicker.holdersAsked, into: &shortlist) {
            EndpointPicker.contains(servers, $0)
        }
        // A stratified draw: one from each equal part, so that no endpoint is drawn twice and none is out of reach.
        let draws = EndpointPicker.shortlistLength - shortlist.count
        for draw in 0..<draws {
            let (low, high) = (servers.count * draw / draws, servers.count * (draw + 1) / draws)
            let index = servers[low + generator.below(high - low)]
            if !shortlist.contains(index) { shortlist.append(index) }
        }
    }

    /// Bisection. `sorted` ascends.
    private static func contains(_ sorted: [Int], _ value: Int) -> Bool {
        var (low, high) = (0, sorted.count)
        while low < high {
            let middle = (low + high) / 2
            if sorted[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < sorted.count && sorted[low] == value
    }

    // MARK: Scoring and choosing

    private mutating func score(_ request: PickRequest) {
        totals.removeAll(keepingCapacity: true)
        totals.append(contentsOf: repeatElement(0, count: candidates.count))
        for (row, weighted) in profile.scorers.enumerated() {
            values[row].removeAll(keepingCapacity: true)
            values[row].append(contentsOf: repeatElement(0, count: candidates.count))
            weighted.scorer.score(candidates, request: request, values: &values[row])
            for index in candidates.indices { totals[index] += values[row][index] * weighted.weight }
        }
    }

    private mutating func choose(_ generator: inout SeededGenerator) -> (index: Int, reason: PickReason) {
        guard candidates.count > 1 else { return (0, .onlyCandidate) }
        switch profile.picker {
        case .best: return best(&generator)
        case .random: return (generator.below(candidates.count), .drawn)
        case .weightedRandom: return (drawByTotal(&generator), .drawn)
        case .powerOfTwo:
            let first = generator.below(candidates.count)
            var second = generator.below(candidates.count - 1)
            if second >= first { second += 1 }
            return (totals[second] > totals[first] ? second : first, .betterOfTwo)
        case .roundRobin:
            // The next endpoint by id, so that full or drained ones are skipped without losing the order.
            let index = candidates.firstIndex { $0.endpoint.index >= turn } ?? 0
            turn = candidates[index].endpoint.index + 1
            return (index, .turn)
        }
    }

    private func drawByTotal(_ generator: inout SeededGenerator) -> Int {
        let sum = totals.reduce(0) { $0 + max(0, $1) }
        guard sum > 0 else { return generator.below(candidates.count) }
        var left = generator.unit() * sum
        for index in totals.indices.dropLast() {
            left -= max(0, totals[index])
            if left < 0 { return index }
        }
        return totals.count - 1
    }

    private func best(_ generator: inout SeededGenerator) -> (index: Int, reason: PickReason) {
        var best = 0
        var equals = 1
        for index in candidates.indices.dropFirst() {
            let lead = totals[index] - totals[best]
            if lead > 1e-9 {
                best = index
                equals = 1
            } else if lead >= -1e-9 {
                equals += 1
                if generator.below(equals) == 0 { best = index }
            }
        }
        return (best, equals == 1 ? .bestScore : .drawnAmongEqual)
    }

    /// Keeps the chosen candidate and the others with the highest totals.
    private mutating func explain(_ record: DecisionRing.Record, chosen: Int, in ring: inout DecisionRing) {
        ring.begin(record)
        keep(chosen, in: &ring)
        guard candidates.count > DecisionRing.candidatesKept else {
            for index in candidates.indices where index != chosen { keep(index, in: &ring) }
            return
        }
        shortlist.removeAll(keepingCapacity: true)
        for index in candidates.indices where index != chosen {
            guard let last = shortlist.last, shortlist.count >= DecisionRing.candidatesKept - 1 else {
                insertByTotal(index)
                continue
            }
            if totals[index] > totals[last] {
                shortlist.removeLast()
                insertByTotal(index)
            }
        }
        for index in shortlist { keep(index, in: &ring) }
    }

    private mutating func insertByTotal(_ index: Int) {
        var place = shortlist.count
        while place > 0, totals[shortlist[place - 1]] < totals[index] { place -= 1 }
        shortlist.insert(index, at: place)
    }

    private func keep(_ index: Int, in ring: inout DecisionRing) {
        ring.keep(endpoint: candidates[index].endpoint, total: totals[index]) { values[$0][index] }
    }
}
