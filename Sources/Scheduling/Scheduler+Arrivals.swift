import EndpointPicking
import FleetTracking
import FlowControl

extension Scheduler {
    mutating func arrived(_ arrival: Arrival, _ now: Instant, _ effects: inout [Effect]) {
        guard works.slot(of: arrival.work) == nil else {
            ignoredEvents += 1
            return
        }
        let pool = arrival.pool.index
        guard pools.indices.contains(pool) else {
            ignoredEvents += 1
            effects.append(.refuse(arrival.work, .noEndpoint, retryAfter: nil))
            return
        }
        if arrival.band == .async {
            // Jobs do come: a pause after an empty claim is over, and an unanswered claim is not empty.
            pools[pool].readAhead.arrived(arrival.model)
        }
        if arrival.band == .async, isShuttingDown {
            effects.append(.refuse(arrival.work, .shuttingDown, retryAfter: nil))
            return
        }
        if arrival.band == .realtime, !canServe(arrival.model, pool: pool) {
            effects.append(.refuse(arrival.work, .noEndpoint, retryAfter: nil))
            return
        }
        arrivals += 1
        var work = WorkState(arrival, number: arrivals, at: now)
        let mustWait = work.demand.band == .async || waitsRealtime(work.model, pool: pool)
        // A full queue refuses only what would wait; what finds room at once never enters it.
        if works.count >= settings.maximumWorks || (mustWait && !hasPlace(for: work)) {
            effects.append(.refuse(work.id, .queueFull, retryAfter: retryAfter(work.demand.band, pool: pool, now)))
            return settle(pool, now, &effects)
        }
        // What came earlier goes first, of whatever model: time may have made room for it.
        if !mustWait { placeWaiting(pool, now, &effects) }
        work.commonTokens = pools[pool].picker.observe(
            work.prefix, bytesPerToken: pools[pool].settings.fleet.prefixIndex.bytesPerToken)
        if let likely = pools[pool].lengths.expected(model: work.model, tenant: work.tenant) {
            work.likelyOutputTokens = min(likely, work.outputLimit ?? .max)
        }
        let slot = works.insert(work)
        if !mustWait {
            placeNew(slot, now, &effects)
        } else {
            wait(slot)
        }
        settle(pool, now, &effects)
    }

    /// A real-time work that nothing of its model waits before: to an endpoint with room, else into the queue.
    private mutating func placeNew(_ slot: Int, _ now: Instant, _ effects: inout [Effect]) {
        let work = works[slot]
        switch pick(slot, now) {
        case .chosen(let endpoint, let matched): forward(slot, to: endpoint, matchedTokens: matched, now, &effects)
        case .noRoom, .noEndpoint:
            guard hasPlace(for: work) else {
                works.remove(slot)
                effects.append(.refuse(work.id, .queueFull, retryAfter: retryAfter(.realtime, pool: work.pool, now)))
                return
            }
            wait(slot)
        }
    }

    private func waitsRealtime(_ model: ModelID, pool: Int) -> Bool {
        pools[pool].flow.realtimeDepth.works > 0 && pools[pool].flow.hasWaiting(model)
    }

    func hasPlace(for work: WorkState) -> Bool {
        pools[work.pool].flow.hasPlace(work.demand.band, promptTokens: work.demand.promptTokens)
    }

    mutating func wait(_ slot: Int) {
        let work = works[slot]
        var queued = QueuedWork(
            work: work.id, band: work.demand.band, model: work.model, promptTokens: work.demand.promptTokens,
            arrivedAt: work.arrivedAt, expiresAt: work.expiresAt, deadline: work.deadline, arrival: work.arrival)
        queued.hasTried = work.tried.count > 0
        let ticket = pools[work.pool].flow.enqueue(queued)
        works[slot].ticket = ticket
        works[slot].endpoint = nil
        works[slot].attemptsInRound = 0
    }

    /// True when some endpoint of the pool serves the model and takes new work.
    func canServe(_ model: ModelID, pool: Int) -> Bool {
        fleet.servers(of: model, in: PoolID(pool)).contains { !fleet.isDraining($0) }
    }

    mutating func retryAfter(_ band: Band, pool: Int, _ now: Instant) -> Duration {
        pools[pool].flow.retryAfter(band, at: now)
    }

    /// The client went away or the job was withdrawn: nothing is answered, its home ended it.
    mutating func cancelled(_ id: WorkID, _ now: Instant, _ effects: inout [Effect]) {
        guard let slot = works.slot(of: id) else {
            ignoredEvents += 1
            return
        }
        let pool = works[slot].pool
        end(slot, now)
        settle(pool, now, &effects)
    }

    /// Ends a work wherever it is: out of the queue or off its endpoint, and out of the table.
    mutating func end(_ slot: Int, _ now: Instant) {
        if let ticket = works[slot].ticket { pools[works[slot].pool].flow.remove(ticket) }
        release(slot, now)
        works.remove(slot)
    }

    mutating func shutdown(_ now: Instant, _ effects: inout [Effect]) {
        isShuttingDown = true
        for pool in pools.indices {
            for queued in pools[pool].flow.waiting(.async) {
                guard let slot = works.slot(of: queued.work) else { continue }
                end(slot, now)
                effects.append(.refuse(queued.work, .shuttingDown, retryAfter: nil))
            }
        }
        settleAll(now, &effects)
    }
}
