import EndpointPicking
import FleetTracking
import FlowControl

/// Async work in the gaps: what is granted, and how far ahead jobs are read.
extension Scheduler {
    /// Grants async works while nothing real-time waits in the pool and an endpoint has spare room by the async rule
    /// (`Endpoint.hasRoom`). Called on every release, sample and arrival: there is no interval between a free place and
    /// its use. A first job that does not fit holds back neither other models nor smaller ones behind it, until it is
    /// overdue (`reserve`).
    mutating func fillWithAsync(_ pool: Int, _ now: Instant, _ effects: inout [Effect]) {
        guard !isAsyncPaused, pools[pool].flow.realtimeDepth.works == 0 else { return }
        guard pools[pool].flow.asyncDepth.works > 0 else { return }
        placeReserved(.async, pool: pool, now, &effects)
        pools[pool].flow.beginRound(.async)
        while let head = pools[pool].flow.nextHead(.async) {
            guard let slot = works.slot(of: head.queued.work) else { continue }
            if case .chosen(let endpoint, let matched) = pick(slot, now) {
                forward(slot, to: endpoint, matchedTokens: matched, now, &effects)
                pools[pool].flow.goOn(after: head)
            } else {
                reserve(slot, now)
                pools[pool].flow.behind(head, into: &smallerJobs)
                fillWithSmaller(than: works[slot].demand, now, &effects)
            }
        }
    }

    /// Picks for smaller jobs of one model that may come to nothing in one round.
    private static var vainLooks: Int { 4 }

    /// Grants of `smallerJobs` those that fit. After one that fits nowhere only such are tried as need less of something.
    private mutating func fillWithSmaller(than head: WorkDemand, _ now: Instant, _ effects: inout [Effect]) {
        var (prompt, sequences) = (head.promptTokens, head.sequences)
        var inVain = 0
        for queued in smallerJobs {
            guard let slot = works.slot(of: queued.work) else { continue }
            let demand = works[slot].demand
            guard demand.promptTokens < prompt || demand.sequences < sequences else { continue }
            if case .chosen(let endpoint, let matched) = pick(slot, now) {
                forward(slot, to: endpoint, matchedTokens: matched, now, &effects)
            } else {
                inVain += 1
                guard inVain < Scheduler.vainLooks else { return }
                prompt = min(prompt, demand.promptTokens)
                sequences = min(sequences, demand.sequences)
            }
        }
    }

    // MARK: Reading ahead

    /// The store's word on what could come of a model.
    mutating func backlog(_ id: PoolID, _ model: ModelID, pending: Int, _ now: Instant, _ effects: inout [Effect]) {
        guard pools.indices.contains(id.index) else {
            ignoredEvents += 1
            return
        }
        pools[id.index].readAhead.told(model, pending: pending)
        settle(id.index, now, &effects)
    }

    /// A claim ended, with so many left in the store.
    mutating func claimed(_ id: PoolID, _ model: ModelID, pending: Int, _ now: Instant, _ effects: inout [Effect]) {
        guard pools.indices.contains(id.index),
            pools[id.index].readAhead.claimed(model, pending: pending, at: now)
        else {
            ignoredEvents += 1
            return
        }
        settle(id.index, now, &effects)
    }

    /// Claims more jobs of each model of which few wait. One claim of a model is on its way at a time.
    mutating func claim(_ pool: Int, _ now: Instant, _ effects: inout [Effect]) {
        guard !isAsyncPaused, !isShuttingDown, !pools[pool].readAhead.entries.isEmpty else { return }
        let limit = pools[pool].settings.flow.async.entries
        var places = limit - pools[pool].flow.asyncDepth.works - pools[pool].readAhead.expected
        let (first, count) = (pools[pool].readAhead.firstTurn, pools[pool].readAhead.entries.count)
        for step in 0..<count where places > 0 {
            let index = (first + step) % count
            guard let model = pools[pool].readAhead.claimable(index, at: now) else { continue }
            let waiting = pools[pool].flow.waitingJobs(model)
            let wanted = pools[pool].readAhead.claim(index, waiting: waiting, limit: limit, places: places)
            guard wanted > 0 else { continue }
            places -= wanted
            effects.append(.claimJobs(PoolID(pool), model, limit: wanted))
        }
    }
}
