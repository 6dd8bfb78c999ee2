import EngineModel
import FleetTracking
import FlowControl
import Scheduling

/// What the scheduler decides is carried out.
extension World {
    mutating func send(_ event: Event) {
        scheduler.handle(event, now: now, effects: &effects)
        var index = 0
        while index < effects.count {
            carryOut(effects[index])
            index += 1
        }
        effects.removeAll(keepingCapacity: true)
    }

    mutating func carryOut(_ effect: Effect) {
        digest.absorb(effect)
        switch effect {
        case .forward(let work, let endpoint, let attempt):
            forward(place(work), to: endpoint.index, attempt: attempt)
        case .refuse(let work, let outcome, _): refuse(place(work), outcome)
        case .claimJobs(_, _, let limit):
            agenda.add(.claim, at: now + settings.claimDelay, detail: limit)
        case .wake(let instant):
            if instant < .distantFuture { agenda.add(.timer, at: max(now, instant)) }
        case .observe: return
        }
    }

    private func place(_ work: WorkID) -> Int { Int(work.rawValue & 0x00ff_ffff_ffff_ffff) }

    private mutating func forward(_ visit: Int, to endpoint: Int, attempt: Int) {
        if visits[visit].endedAt != nil { return violate("request \(visit) was sent after its end") }
        if attempt == 1 { checkOrder(visit) }
        visits[visit].endpoint = endpoint
        visits[visit].attempt = attempt
        machines[endpoint].inFlight += 1
        if machines[endpoint].inFlight > machines[endpoint].settings.maximumSequences {
            violate("endpoint \(endpoint) has more than it runs at once: \(machines[endpoint].inFlight)")
        }
        agenda.add(.enqueue, at: now + settings.requestOverhead, subject: visit, detail: attempt)
    }

    /// Requests of one model are first sent in the order in which they came.
    private mutating func checkOrder(_ visit: Int) {
        guard visits[visit].band == .realtime else { return }
        while oldestWaiting < visit {
            let other = visits[oldestWaiting]
            guard other.band == .async || other.attempt > 0 || other.endedAt != nil else {
                return violate("request \(visit) was sent before \(oldestWaiting)")
            }
            oldestWaiting += 1
        }
    }

    private mutating func refuse(_ visit: Int, _ outcome: Outcome) {
        let request = visits[visit].request
        let band = visits[visit].band
        leave(visit)
        guard band == .async else {
            result.refused += 1
            return
        }
        // The job stays in the store.
        storedJobs.append(request)
        if storedJobs.count == 1 { agenda.add(.backlog, at: now + settings.claimDelay) }
    }

    mutating func claim(_ limit: Int) {
        for _ in 0..<limit {
            guard let job = storedJobs.popLast() else { break }
            _ = add(Visit(request: job, band: .async, arrivedAt: now))
        }
        send(.claimed(PoolID(0), ModelID(0), pending: storedJobs.count))
    }

    // MARK: The end

    /// What is left of the jobs goes back; then nothing may be left anywhere.
    mutating func finish() {
        result.events = agenda.taken
        result.virtualSeconds = (now - World.start).seconds
        result.digest = digest.value
        result.endpointTokens = machines.map(\.computedTokens)
        guard !settings.stopsAtLastArrival else { return }
        send(.asyncPaused(true))
        for visit in visits.indices where visits[visit].endedAt == nil { withdraw(visit) }
        checkRest()
    }

    private mutating func checkRest() {
        let rest = scheduler.snapshot(at: now)
        if rest.works != 0 { violate("\(rest.works) works are left in the scheduler") }
        for pool in rest.pools where pool.realtime.waiting + pool.async.waiting != 0 {
            violate("\(pool.realtime.waiting) requests and \(pool.async.waiting) jobs still wait")
        }
        for endpoint in rest.endpoints {
            let index = endpoint.id.index
            if endpoint.realtime != BandLoad() || endpoint.async != BandLoad() {
                violate("endpoint \(index) is still charged with \(endpoint.realtime) and \(endpoint.async)")
            }
            if endpoint.pendingPromptTokens != 0 {
                violate("endpoint \(index) still awaits \(endpoint.pendingPromptTokens) prompt tokens")
            }
            if machines[index].inFlight != 0 { violate("endpoint \(index) still has \(machines[index].inFlight)") }
        }
    }
}
