import EndpointPicking
import FleetTracking
import FlowControl

/// Async work in the gaps: what is granted, and how far ahead jobs are read.
extension Scheduler {
    /// Grants async works while nothing real-time waits in the pool and an endpoint has spare room by the async rule
    /// (`Endpoint.hasRoom`). Called on every release, sample and arrival: there is no interval between a free place and
    /// its use. A first job that does not fit does not block smaller ones behind it.
    mutating func fillWithAsync(_ pool: Int, _ now: Instant, _ effects: inout [Effect]) {
        guard !isAsyncPaused else { return }
        while pools[pool].flow.depth(.realtime).works == 0, pools[pool].flow.depth(.async).works > 0 {
            guard
                grant(from: pool, looking: 1, now, &effects)
                    || grant(from: pool, looking: pools[pool].settings.flow.lookahead, now, &effects)
            else { return }
        }
    }

    /// Grants one of the first `limit` jobs. After a job that fits nowhere only smaller ones of its model and those of
    /// other models are tried, and no more than four in vain.
    private mutating func grant(
        from pool: Int, looking limit: Int, _ now: Instant, _ effects: inout [Effect]
    ) -> Bool {
        pools[pool].flow.firstAsync(limit: limit, into: &firstJobs)
        var inVain = 0
        var refused: (model: ModelID, promptTokens: Int)?
        for place in firstJobs.indices {
            let queued = firstJobs[place].0
            if let refused, refused.model == queued.model, refused.promptTokens <= queued.promptTokens { continue }
            guard let slot = works.slot(of: queued.work) else { continue }
            if case .chosen(let endpoint, let matched) = pick(slot, now) {
                forward(slot, to: endpoint, matchedTokens: matched, now, &effects)
                return true
            }
            refused = (queued.model, queued.promptTokens)
            inVain += 1
            if inVain >= 4 { return false }
        }
        return false
    }

    // MARK: Reading ahead

    /// The store's word on what could come; also the answer to a claim.
    mutating func backlog(_ id: PoolID, pending: Int, _ now: Instant, _ effects: inout [Effect]) {
        guard pools.indices.contains(id.index) else {
            ignoredEvents += 1
            return
        }
        pools[id.index].backlog = max(0, pending)
        if pools[id.index].isClaiming {
            pools[id.index].isClaiming = false
            if pools[id.index].claimedArrivals == 0 {
                pools[id.index].nextClaimAt = now + pools[id.index].settings.readAhead.emptyClaimPause
            }
        }
        settle(id.index, now, &effects)
    }

    /// Claims more jobs when few wait. One claim of a pool is on its way at a time.
    mutating func claim(_ pool: Int, _ now: Instant, _ effects: inout [Effect]) {
        guard !isAsyncPaused, !isShuttingDown else { return }
        guard !pools[pool].isClaiming, pools[pool].backlog > 0, now >= pools[pool].nextClaimAt else { return }
        let waiting = pools[pool].flow.depth(.async).works
        let readAhead = pools[pool].settings.readAhead
        guard waiting < max(1, readAhead.lowMark) else { return }
        let places = pools[pool].settings.flow.async.entries - waiting
        let limit = min(max(1, readAhead.window - waiting), pools[pool].backlog, places)
        guard limit > 0 else { return }
        pools[pool].isClaiming = true
        pools[pool].claimedArrivals = 0
        effects.append(.claimJobs(PoolID(pool), limit: limit))
    }
}
