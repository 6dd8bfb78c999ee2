import EndpointPicking
import FleetTracking
import FlowControl

extension Scheduler {
    /// Looks for an endpoint for a work that waits or is new.
    mutating func pick(_ slot: Int, _ now: Instant) -> PickResult {
        let work = works[slot]
        var request = PickRequest(
            model: work.model, band: work.demand.band, promptTokens: work.demand.promptTokens,
            expectedOutputTokens: work.demand.expectedOutputTokens, sequences: work.demand.sequences,
            prefix: work.prefix)
        request.commonTokens = work.commonTokens
        request.likelyOutputTokens = work.likelyOutputTokens
        context.pool = PoolID(work.pool)
        context.now = now
        var task = PickTask(work: work.id, attempt: work.attempts + 1, request: request, tried: work.tried)
        task.closed = closedEndpoint(for: work)
        return pools[work.pool].picker.pick(task, from: &context, fleet: &fleet)
    }

    /// Sends a work to an endpoint; from here on it is counted there until `release`.
    mutating func forward(
        _ slot: Int, to endpoint: EndpointID, matchedTokens: Int, _ now: Instant, _ effects: inout [Effect]
    ) {
        let work = works[slot]
        let (pool, demand) = (work.pool, work.demand)
        // As the pick saw it: the work itself is not there yet.
        let forecast = pools[pool].picker.forecast
        if let ticket = work.ticket { pools[pool].flow.remove(ticket) }
        if pools[pool].reservations[demand.band]?.work == work.id { pools[pool].reservations[demand.band] = nil }
        // A full hit still computes the last token.
        let uncached = max(min(1, demand.promptTokens), demand.promptTokens - matchedTokens)
        let ahead = fleet.pendingPromptTokens(endpoint.index)
        let ticket = fleet.dispatch(demand, uncachedTokens: uncached, to: endpoint, at: now)
        let match = work.prefix.isEmpty ? PrefixMatch() : fleet.prefixMatch(work.prefix, on: endpoint.index)
        fleet.remember(work.prefix, on: endpoint)
        let poolSize = fleet.members(of: PoolID(pool)).count
        pools[pool].picker.remember(work.prefix, on: endpoint, poolSize: poolSize)
        pools[pool].flow.recordForward(demand.band, at: now)
        works[slot].ticket = nil
        works[slot].endpoint = endpoint
        works[slot].attempts += 1
        works[slot].attemptsInRound += 1
        works[slot].forwardedAt = now
        works[slot].startedAt = nil
        works[slot].prefillTicket = ticket
        works[slot].prefillTokens = ahead + uncached
        works[slot].producedTokens = 0
        works[slot].forecast = forecast
        works[slot].match = match
        effects.append(.forward(work.id, endpoint, attempt: work.attempts + 1))
        if work.attempts == 0 {
            pools[pool].retryBudget.earn()
            effects.append(.observe(.queueWait(demand.band, PoolID(pool), now - work.arrivedAt)))
        }
        effects.append(
            .observe(
                .prefixMatch(PoolID(pool), promptTokens: demand.promptTokens, matchedTokens: matchedTokens)))
    }

    /// Takes a work off its endpoint. Nothing when it is on none.
    mutating func release(_ slot: Int, _ now: Instant) {
        let work = works[slot]
        guard let endpoint = work.endpoint else { return }
        fleet.release(
            Departure(
                demand: work.demand, producedTokens: work.producedTokens, ticket: work.prefillTicket,
                wasAnswered: work.startedAt != nil),
            from: endpoint, at: now)
        works[slot].endpoint = nil
    }

    mutating func settleAll(_ now: Instant, _ effects: inout [Effect]) {
        for pool in pools.indices { settle(pool, now, &effects) }
    }

    /// Does everything that a change in a pool may have made possible or due, in this order: works whose time is over
    /// end, real-time that waits is placed, async fills what is left, more jobs are claimed.
    mutating func settle(_ pool: Int, _ now: Instant, _ effects: inout [Effect]) {
        fleet.advance(to: now)
        expire(pool, now, &effects)
        reviewReservations(pool, now)
        placeWaiting(pool, now, &effects)
        fillWithAsync(pool, now, &effects)
        claim(pool, now, &effects)
        pools[pool].wakeAt = nextWake(pool, now)
    }

    private mutating func expire(_ pool: Int, _ now: Instant, _ effects: inout [Effect]) {
        while let queued = pools[pool].flow.popExpired(at: now) {
            guard let slot = works.slot(of: queued.work) else { continue }
            let work = works[slot]
            works.remove(slot)
            let outcome: Outcome =
                work.foundEnginesFull ? .enginesFull : canServe(work.model, pool: pool) ? .queueTimeout : .noEndpoint
            let retry = outcome == .noEndpoint ? nil : retryAfter(queued.band, pool: pool, now)
            effects.append(.refuse(queued.work, outcome, retryAfter: retry))
        }
    }

    /// Real-time in order of arrival. A work that fits nowhere holds back all later ones of its model, and only those,
    /// until it is overdue (`reserve`): O(models that wait), and one step more for each work that goes.
    mutating func placeWaiting(_ pool: Int, _ now: Instant, _ effects: inout [Effect]) {
        guard pools[pool].flow.realtimeDepth.works > 0 else { return }
        placeReserved(.realtime, pool: pool, now, &effects)
        pools[pool].flow.beginRound(.realtime)
        while let head = pools[pool].flow.nextHead(.realtime) {
            guard let slot = works.slot(of: head.queued.work) else { continue }
            guard case .chosen(let endpoint, let matched) = pickAgain(slot, now) else {
                reserve(slot, now)
                continue
            }
            forward(slot, to: endpoint, matchedTokens: matched, now, &effects)
            pools[pool].flow.goOn(after: head)
        }
    }

    /// Picks for a waiting work. When every endpoint left was tried before, all may be tried anew.
    private mutating func pickAgain(_ slot: Int, _ now: Instant) -> PickResult {
        let result = pick(slot, now)
        guard case .noRoom = result, works[slot].tried.count > 0, !hasUntried(slot) else { return result }
        works[slot].tried = TriedEndpoints()
        return pick(slot, now)
    }

    /// True when an endpoint that could serve this work is in rotation and was not tried.
    func hasUntried(_ slot: Int) -> Bool {
        let work = works[slot]
        for index in fleet.servers(of: work.model, in: PoolID(work.pool)) {
            if fleet.isHealthy(index), !fleet.isDraining(index), !work.tried.contains(EndpointID(index)) { return true }
        }
        return false
    }

    // MARK: Time

    /// When this pool must be looked at again although nothing happens.
    private mutating func nextWake(_ pool: Int, _ now: Instant) -> Instant? {
        var next = pools[pool].flow.nextExpiry
        func consider(_ instant: Instant?) {
            guard let instant else { return }
            next = min(next ?? instant, instant)
        }
        let waitsRealtime = pools[pool].flow.realtimeDepth.works > 0
        let waitsAsync = pools[pool].flow.asyncDepth.works > 0 && !isAsyncPaused
        if waitsRealtime || waitsAsync {
            for index in fleet.members(of: PoolID(pool)) {
                consider(fleet.nextRoom(index, band: waitsRealtime ? .realtime : .async, after: now))
            }
        }
        consider(pools[pool].readAhead.nextClaim(after: now))
        return next
    }

    /// Asks for a timer at the earliest time that is due, unless an earlier one is on its way.
    mutating func armWake(_ now: Instant, _ effects: inout [Effect]) {
        var next = fleet.nextReturn
        for pool in pools.indices {
            guard let wake = pools[pool].wakeAt else { continue }
            next = min(next ?? wake, wake)
        }
        guard let due = next, due < .distantFuture else { return }
        let wake = max(due, now + .microseconds(100))
        if let armed = armedWake, armed <= wake { return }
        armedWake = wake
        effects.append(.wake(at: wake))
    }
}
