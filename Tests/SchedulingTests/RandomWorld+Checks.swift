import FleetTracking
import FlowControl
import Scheduling

/// The rules that hold whatever happens.
extension RandomWorld {
    mutating func check(_ effect: Effect) {
        switch effect {
        case .forward(let work, let endpoint, let attempt): checkForward(work, endpoint.index, attempt)
        case .refuse(let work, let outcome, _):
            guard let piece = pieces[work] else { return complain("refused \(work), which is over (\(outcome))") }
            if case .inFlight = piece.place { complain("refused \(work), which is in flight") }
            leave(work)
        case .claimJobs(let pool, let model, let limit):
            if claims[[pool.index, model.index]] != nil { complain("a second claim is on its way") }
            if limit < 1 || limit > settings.readAhead.window { complain("claimed \(limit)") }
            if isPaused { complain("claimed while paused") }
            claims[[pool.index, model.index]] = limit
        case .wake(let instant):
            if instant < now { complain("a wake in the past") }
            wakes.append(instant)
        case .observe: return
        }
    }

    private mutating func checkForward(_ work: WorkID, _ site: Int, _ attempt: Int) {
        guard let piece = pieces[work], let target = sites[site] else {
            return complain("forwarded \(work), which is over, or to nowhere")
        }
        let (arrival, band) = (piece.arrival, piece.arrival.band)
        if piece.place != .waiting { complain("forwarded \(work) twice") }
        if attempt != piece.attempts + 1 { complain("attempt \(attempt) after \(piece.attempts)") }
        if target.isDraining || target.isRemoved || site % 2 != arrival.pool.index {
            complain("forwarded to an endpoint that takes nothing")
        }
        if !target.models.contains(arrival.model.index) { complain("forwarded to the wrong model") }
        let held = target.realtime + target.async
        let needed = band == .async ? arrival.sequences : min(arrival.sequences, max(1, target.limit / 4))
        if held > 0, held + needed > target.limit { complain("\(held) + \(needed) over \(target.limit)") }
        let waiting = pieces.values.filter { $0.place == .waiting && $0.arrival.pool == arrival.pool }
        if band == .async {
            if isPaused { complain("granted while paused") }
            if attempt > 1 { complain("a job's attempt was repeated") }
            if waiting.contains(where: { $0.arrival.band == .realtime }) { complain("granted while real-time waits") }
            let allowed = max(1, Int(Double(target.limit) * 0.85))
            if held > 0, held + arrival.sequences > allowed { complain("the reserve was used") }
        } else if attempt == 1 {
            let isOvertaking = waiting.contains {
                $0.arrival.band == .realtime && $0.attempts == 0 && $0.order < piece.order
                    && $0.arrival.model == arrival.model
            }
            if isOvertaking { complain("\(work) went before its turn") }
        }
        checkFullness(site, band)
        forwards += 1
        pieces[work]?.attempts += 1
        pieces[work]?.place = .inFlight(site, isStarted: false)
        count(work, site, by: 1)
    }

    private mutating func checkFullness(_ site: Int, _ band: Band) {
        guard sites[site]?.fullness != nil else { return }
        if band == .realtime {
            sites[site]?.fullness?.sent.realtime += 1
        } else {
            sites[site]?.fullness?.sent.async += 1
        }
        guard let fullness = sites[site]?.fullness else { return }
        if now < fullness.pausedUntil { complain("sent to \(site) in its pause") }
        if !fullness.isWithinBounds { complain("a full endpoint is sent more than it answers: \(fullness)") }
    }

    /// Nothing waits that an idle endpoint could take.
    private mutating func checkIdle(_ snapshot: SchedulerSnapshot) {
        let waiting = pieces.values.filter { $0.place == .waiting && $0.attempts == 0 }
        let realtime = Set(waiting.filter { $0.arrival.band == .realtime }.map { Kind($0.arrival) })
        let async = Set(waiting.filter { $0.arrival.band == .async }.map { Kind($0.arrival) })
        for endpoint in snapshot.endpoints {
            guard endpoint.health == .healthy, !endpoint.isFull, !endpoint.isDraining, !endpoint.isRemoved,
                endpoint.realtime.works + endpoint.async.works == 0
            else { continue }
            // The timer for the end of a pause may be on its way.
            if let paused = sites[endpoint.id.index]?.fullness?.pausedUntil, now < paused + .seconds(3) { continue }
            for model in endpoint.models {
                let kind = Kind(pool: endpoint.pool.index, model: model.index)
                if realtime.contains(kind) { complain("\(kind) waits beside the idle endpoint \(endpoint.id.index)") }
                let isHeldBack = isPaused || snapshot.pools[kind.pool].realtime.waiting > 0
                if async.contains(kind), !isHeldBack, endpoint.foreignSequences == 0 {
                    complain("a job of \(kind) waits beside the idle endpoint \(endpoint.id.index)")
                }
            }
        }
    }

    /// What decides where a work may go.
    private struct Kind: Hashable {
        let pool: Int
        let model: Int

        init(pool: Int, model: Int) {
            self.pool = pool
            self.model = model
        }

        init(_ arrival: Arrival) { self.init(pool: arrival.pool.index, model: arrival.model.index) }
    }

    /// The scheduler's numbers against the model's.
    mutating func compare() {
        let snapshot = scheduler.snapshot(at: now)
        checkIdle(snapshot)
        if snapshot.works != pieces.count { complain("\(snapshot.works) works, \(pieces.count) expected") }
        for pool in snapshot.pools {
            for band in Band.allCases {
                let seen = band == .realtime ? pool.realtime : pool.async
                let limits = band == .realtime ? settings.flow.realtime : settings.flow.async
                let expected = pieces.values.filter {
                    $0.place == .waiting && $0.arrival.pool == pool.id && $0.arrival.band == band
                }
                if seen.waiting != expected.count { complain("\(seen.waiting) wait, \(expected.count) expected") }
                if seen.waiting > limits.entries { complain("the queue is over its limit") }
                if seen.waiting > 1, seen.waitingPromptTokens > limits.promptTokens { complain("too many tokens wait") }
            }
        }
        for endpoint in snapshot.endpoints {
            guard let site = sites[endpoint.id.index] else { continue }
            if endpoint.realtime.sequences != site.realtime || endpoint.async.sequences != site.async {
                complain("counts of endpoint \(endpoint.id.index) drifted")
            }
            if endpoint.foreignSequences < 0 || endpoint.pendingPromptTokens < 0 || endpoint.residentTokens < 0 {
                complain("a negative count on endpoint \(endpoint.id.index)")
            }
            if endpoint.prefixBlocks > 40 { complain("the prefix index is over its limit") }
        }
        let late = pieces.values.contains { $0.place == .waiting && $0.expiresAt + .milliseconds(1) < now }
        if late { complain("a work waits past its time to live") }
    }

    /// Lets everything end: what is in flight finishes, what waits is served or expires.
    mutating func wind() {
        for _ in 0..<400 where !pieces.isEmpty && violations.isEmpty {
            for work in known {
                guard case .inFlight? = pieces[work]?.place else { continue }
                finish(work)
            }
            let end = now + .milliseconds(100)
            while let due = wakes.min(), due <= end {
                now = max(now, due)
                wakes.removeAll { $0 <= now }
                send(.timerFired)
            }
            now = end
            known.removeAll { pieces[$0] == nil }
        }
        if !pieces.isEmpty { complain("\(pieces.count) works never ended") }
        compare()
        for endpoint in scheduler.snapshot(at: now).endpoints {
            if endpoint.realtime != BandLoad() || endpoint.async != BandLoad() || endpoint.residentTokens != 0 {
                complain("endpoint \(endpoint.id.index) is not empty at the end")
            }
        }
    }
}
