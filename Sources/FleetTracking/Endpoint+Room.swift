extension Endpoint {
    /// Whether the work fits now, by the rules of its band. Health and draining are the caller's question.
    @inline(__always)
    package func hasRoom(for demand: WorkDemand, at now: Instant) -> Bool {
        guard fullness.admits(demand.band, at: now) else { return false }
        if let allowance = health.allowance, trials.count(against: demand.band, serial: health.returns) >= allowance {
            return false
        }
        return demand.band == .realtime ? hasRealtimeRoom(for: demand, at: now) : hasAsyncRoom(for: demand, at: now)
    }

    /// Real-time: sequences within the limit, and KV for what is there plus the prompt (an engine preempts only when
    /// memory is really short, so expected output is not counted). An endpoint without work of ours always has room:
    /// no sample, however wrong, stops all traffic.
    ///
    /// A request of many sequences needs free no more than a quarter of the limit, a long prompt no more than half of
    /// the KV: the engine itself queues the rest. Else one such request at the head of the queue would hold back
    /// everybody until an endpoint is nearly empty.
    @inline(__always)
    private func hasRealtimeRoom(for demand: WorkDemand, at now: Instant) -> Bool {
        guard works > 0 else { return true }
        let needed = min(demand.sequences, max(1, capacity.sequences / 4))
        let sequences = ownSequences + foreignSequences(for: .realtime, at: now) + needed
        guard sequences <= capacity.sequences else { return false }
        guard let kvTokens, kvTokens > 0 else { return true }
        let prompt = min(demand.promptTokens, kvTokens / 2)
        return residentTokens + foreignKV(for: .realtime, at: now) + prompt <= kvTokens
    }

    /// Async: what is left after `reserve` of sequences, batch tokens and KV (expected output counted), and only a few
    /// prompt tokens awaiting prefill at once. A stale or missing view allows no more than a trickle.
    @inline(__always)
    private func hasAsyncRoom(for demand: WorkDemand, at now: Instant) -> Bool {
        // A returning endpoint gets jobs within its allowance: without real-time requests nothing else would bring it back.
        guard health.isHealthy else { return false }
        let isStale = isStale(at: now)
        if isStale {
            let trickle = max(1, Int(Double(capacity.sequences) * settings.freshness.staleTrickle))
            guard async.works < trickle else { return false }
        }
        let limit = isStale ? capacity.sequences : capacity.jobSequences
        let used = ownSequences + foreignSequences(for: .async, at: now)
        guard used == 0 || used + demand.sequences <= asyncPlaces(of: limit) else { return false }
        return hasAsyncMemory(for: demand, used: used, at: now) && hasAsyncPrefill(for: demand, used: used)
    }

    /// Whether the work would fit if others of its band gave way; prefill, which passes quickly, is not looked at.
    ///
    /// Real-time always would: an endpoint without work has room. A job would within the reserve beside the real-time
    /// and foreign work that is there now.
    func couldTake(_ demand: WorkDemand, at now: Instant) -> Bool {
        guard health.state == .healthy, fullness.admits(demand.band, at: now) else { return false }
        guard demand.band == .async else { return true }
        guard !isStale(at: now) else { return false }
        let others = realtime.sequences + foreignSequences(for: .async, at: now)
        guard others > 0 else { return true }
        guard others + demand.sequences <= asyncPlaces(of: capacity.jobSequences) else { return false }
        guard let kvTokens, kvTokens > 0 else { return true }
        let reserved = realtime.reservedTokens + foreignKV(for: .async, at: now) + demand.reservedTokens
        return reserved <= Int(Double(kvTokens) * spare)
    }

    /// Sequences of so many that jobs may bring an endpoint to.
    @inline(__always)
    private func asyncPlaces(of limit: Int) -> Int { max(1, Int((Double(limit) * spare).rounded(.down))) }

    private var spare: Double { 1 - min(1, max(0, settings.asyncShare.reserve)) }

    @inline(__always)
    private func hasAsyncMemory(for demand: WorkDemand, used: Int, at now: Instant) -> Bool {
        // An idle engine takes any prompt it can hold at all; what it cannot hold it refuses itself.
        guard used > 0 else { return true }
        guard let kvTokens, kvTokens > 0 else { return sampledKVUse.map { $0 <= spare } ?? true }
        let reserved = realtime.reservedTokens + async.reservedTokens + foreignKV(for: .async, at: now)
        return reserved + demand.reservedTokens <= Int(Double(kvTokens) * spare)
    }

    @inline(__always)
    private func hasAsyncPrefill(for demand: WorkDemand, used: Int) -> Bool {
        let pendingAsync = prefill.pending(.async)
        guard pendingAsync == 0 || pendingAsync + demand.promptTokens <= settings.asyncShare.prefillTokens else {
            return false
        }
        // A prompt longer than a step goes when nothing else awaits prefill.
        guard prefill.pending > 0 else { return true }
        let stepTokens = prefill.pending + used + demand.promptTokens
        return stepTokens <= Int(Double(batchTokens) * spare)
    }
}
