package import FleetTracking
import FlowControl

extension Scheduler {
    /// A copy of what there is to see. O(endpoints + waiting works).
    package borrowing func snapshot(at now: Instant) -> SchedulerSnapshot {
        let endpoints = fleet.all.map { Scheduler.snapshot(of: $0, at: now) }
        return SchedulerSnapshot(
            pools: pools.indices.map { snapshot(ofPool: $0, endpoints: endpoints, at: now) }, endpoints: endpoints,
            works: works.count, ignoredEvents: ignoredEvents, isAsyncPaused: isAsyncPaused)
    }

    private borrowing func snapshot(
        ofPool index: Int, endpoints: [EndpointSnapshot], at now: Instant
    ) -> PoolSnapshot {
        var snapshot = PoolSnapshot(id: PoolID(index))
        snapshot.realtime = band(.realtime, pool: index, at: now)
        snapshot.async = band(.async, pool: index, at: now)
        snapshot.backlog = pools[index].readAhead.pending
        var shares: [Double] = []
        for endpoint in endpoints where endpoint.pool.index == index {
            snapshot.realtime.inFlight += endpoint.realtime.works
            snapshot.async.inFlight += endpoint.async.works
            if case .ejected = endpoint.health { continue }
            if endpoint.isDraining || endpoint.isRemoved { continue }
            let sequences = endpoint.realtime.sequences + endpoint.async.sequences + endpoint.foreignSequences
            shares.append(max(Double(sequences) / Double(endpoint.maximumSequences), endpoint.kvUse))
        }
        if !shares.isEmpty { snapshot.saturation = shares.reduce(0, +) / Double(shares.count) }
        return snapshot
    }

    private borrowing func band(_ band: Band, pool: Int, at now: Instant) -> BandSnapshot {
        var flow = pools[pool].flow
        var snapshot = BandSnapshot()
        snapshot.waiting = flow.depth(band).works
        snapshot.waitingPromptTokens = flow.depth(band).promptTokens
        for queued in flow.waiting(band) { snapshot.oldestWait = max(snapshot.oldestWait, now - queued.arrivedAt) }
        snapshot.forwardsPerSecond = flow.forwardsPerSecond(band, at: now)
        snapshot.outputTokens = pools[pool].produced(band)
        return snapshot
    }

    private static func snapshot(of endpoint: Endpoint, at now: Instant) -> EndpointSnapshot {
        EndpointSnapshot(
            id: endpoint.id, pool: endpoint.pool, health: endpoint.health.state, isDraining: endpoint.isDraining,
            isRemoved: endpoint.isRemoved, isFull: endpoint.fullness.isPaused(at: now), realtime: endpoint.realtime,
            async: endpoint.async, pendingPromptTokens: endpoint.prefill.pending,
            prefillTokensPerSecond: endpoint.prefillRate, residentTokens: endpoint.residentTokens,
            kvTokens: endpoint.kvTokens, kvUse: endpoint.kvUse(at: now), foreignSequences: endpoint.foreign.sequences,
            foreignKVTokens: endpoint.foreign.kvTokens, engineWaiting: endpoint.sampledWaiting,
            maximumSequences: endpoint.capacity.sequences, sampleAge: endpoint.foreign.sampledAt.map { now - $0 },
            isStale: endpoint.isStale(at: now), prefixBlocks: endpoint.prefix.count,
            prefixTokens: endpoint.prefix.tokens, models: endpoint.models)
    }
}
