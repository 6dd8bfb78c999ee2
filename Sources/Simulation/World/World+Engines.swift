import EngineModel
import FleetTracking
import FlowControl
import Scheduling

/// What happens in and around the engines.
extension World {
    mutating func install(_ endpoints: [EngineProfile]) {
        let types = settings.types
        result.load = LoadHistory(endpoints: endpoints.count, lookInterval: settings.scrapeInterval.seconds)
        for (index, profile) in endpoints.enumerated() {
            machines.append(Machine(profile, noise: settings.noise, seed: settings.seed &* 1_000_003 &+ UInt64(index)))
            var description = EndpointDescription(
                id: EndpointID(index), pool: PoolID(0), maximumSequences: profile.maximumSequences,
                batchTokens: profile.batchTokens, kvTokens: profile.kvTokens, models: [ModelID(0)])
            description.type = types.firstIndex(of: profile) ?? 0
            send(.endpointAdded(description))
            // Not all at the same time.
            let share = Double(index + 1) / Double(endpoints.count + 1)
            agenda.add(.scrape, at: now + settings.scrapeInterval * share, subject: index)
            agenda.add(.probe, at: now + settings.probeInterval * share, subject: index)
        }
        for (index, fault) in settings.faults.enumerated() where machines.indices.contains(fault.endpoint) {
            agenda.add(.faultBegins, at: World.start + fault.at, subject: index)
            agenda.add(.faultEnds, at: World.start + fault.at + fault.lasts, subject: index)
        }
        if !storedJobs.isEmpty { agenda.add(.backlog, at: World.start) }
    }

    mutating func enqueue(_ visit: Int, attempt: Int) {
        guard let endpoint = visits[visit].endpoint, visits[visit].attempt == attempt, visits[visit].sequence == nil
        else { return }
        guard !machines[endpoint].isDead else { return fail(visit, .connect) }
        let asked = request(of: visits[visit])
        let blocks = trace.engineBlocks(of: asked, blockSize: machines[endpoint].settings.blockSize)
        var sequence = SequenceRequest(
            prompt: PromptDigest(outline: asked.promptTokens, known: blocks, seed: UInt64(visit) &+ 1),
            maximumTokens: max(1, asked.outputTokens))
        sequence.ignoresEnd = true
        switch machines[endpoint].engine.submit(sequence) {
        case .queued(let id):
            visits[visit].sequence = id
            machines[endpoint][sequence: id.index] = visit
            beginStep(endpoint)
        case .refused:
            if visits[visit].band == .realtime { result.tooLong += 1 }
            leave(visit)
            send(.finished(work(visit), Completion(outcome: .completed, status: 400)))
        }
    }

    private mutating func fail(_ visit: Int, _ failure: AttemptFailure) {
        if let endpoint = visits[visit].endpoint { machines[endpoint].inFlight -= 1 }
        visits[visit].endpoint = nil
        visits[visit].sequence = nil
        send(.failed(work(visit), failure))
    }

    // MARK: Steps

    private mutating func beginStep(_ endpoint: Int) {
        guard !machines[endpoint].isStepping, let plan = machines[endpoint].engine.beginStep() else { return }
        machines[endpoint].isStepping = true
        let nanoseconds = Int64(Double(plan.nanoseconds) * machines[endpoint].slowness)
        agenda.add(
            .stepEnd, at: now.adding(nanoseconds: nanoseconds), subject: endpoint, detail: machines[endpoint].life)
    }

    mutating func endStep(_ endpoint: Int, life: Int) {
        guard machines[endpoint].life == life else { return }
        if machines[endpoint].stalledUntil > now {
            return agenda.add(.stepEnd, at: machines[endpoint].stalledUntil, subject: endpoint, detail: life)
        }
        machines[endpoint].engine.endStep(into: &report)
        machines[endpoint].stepEndedAt = now
        machines[endpoint].isStepping = false
        let emissions = report.emissions
        for emission in emissions {
            guard let visit = machines[endpoint][sequence: emission.sequence.index] else { continue }
            if visits[visit].firstAt == nil { begin(visit, endpoint, cached: Int(emission.cachedTokens)) }
            if emission.finish != nil { complete(visit, endpoint, emission) }
        }
        beginStep(endpoint)
    }

    private mutating func begin(_ visit: Int, _ endpoint: Int, cached: Int) {
        visits[visit].firstAt = now
        visits[visit].cached = cached
        if !machines[endpoint].isReporting {
            machines[endpoint].isReporting = true
            agenda.add(.report, at: now + settings.reportInterval, subject: endpoint)
        }
        send(.started(work(visit)))
    }

    private mutating func complete(_ visit: Int, _ endpoint: Int, _ last: Emission) {
        let asked = request(of: visits[visit])
        // Fewer than the trace says where the model's length ended it.
        let output = Int(last.outputTokens)
        let untold = output - visits[visit].told
        if untold > 0 {
            send(.progressed([Progress(work: work(visit), outputTokens: untold, lastOutputAt: now)]))
        }
        machines[endpoint][sequence: last.sequence.index] = nil
        machines[endpoint].computedTokens += asked.promptTokens - visits[visit].cached + output
        count(visits[visit], asked, output)
        let cached = visits[visit].cached
        leave(visit)
        send(
            .finished(
                work(visit),
                Completion(
                    outcome: .completed, status: 200, promptTokens: asked.promptTokens, outputTokens: output,
                    cachedTokens: cached)))
    }

    private mutating func count(_ visit: Visit, _ asked: TraceRequest, _ output: Int) {
        guard visit.band == .realtime else {
            result.jobsCompleted += 1
            result.jobOutputTokens += output
            return
        }
        result.completed += 1
        result.promptTokens += asked.promptTokens
        result.cachedTokens += visit.cached
        let first = visit.firstAt ?? now
        result.firstToken.append(first.milliseconds(since: visit.arrivedAt))
        result.endToEnd.append(now.milliseconds(since: visit.arrivedAt))
        result.perToken.append(output > 1 ? now.milliseconds(since: first) / Double(output - 1) : 0)
    }

    // MARK: What is told

    mutating func tellProgress(_ endpoint: Int) {
        machines[endpoint].engine.copyRunning(into: &running)
        reports.removeAll(keepingCapacity: true)
        for sequence in running {
            guard let visit = machines[endpoint][sequence: sequence.index], visits[visit].firstAt != nil else {
                continue
            }
            let untold = Int(sequence.outputTokens) - visits[visit].told
            guard untold > 0 else { continue }
            visits[visit].told += untold
            reports.append(
                Progress(
                    work: work(visit), outputTokens: untold, lastOutputAt: machines[endpoint].stepEndedAt))
        }
        if !reports.isEmpty { send(.progressed(reports)) }
        machines[endpoint].isReporting = !running.isEmpty
        if !running.isEmpty { agenda.add(.report, at: now + settings.reportInterval, subject: endpoint) }
    }

    mutating func scrape(_ endpoint: Int) {
        agenda.add(.scrape, at: now + settings.scrapeInterval, subject: endpoint)
        result.load.note(endpoint, inFlight: machines[endpoint].inFlight, at: (now - World.start).seconds)
        if !machines[endpoint].areScrapesStale { machines[endpoint].lastSample = machines[endpoint].sample(at: now) }
        agenda.add(.sample, at: now + settings.scrapeDelay, subject: endpoint)
    }

    mutating func deliverSample(_ endpoint: Int) {
        let machine = machines[endpoint]
        if !machine.isDead, !machine.areScrapesAbsent, let sample = machine.lastSample {
            send(.sampled(EndpointID(endpoint), sample))
        } else {
            send(.sampleFailed(EndpointID(endpoint)))
        }
    }

    mutating func probe(_ endpoint: Int) {
        agenda.add(.probe, at: now + settings.probeInterval, subject: endpoint)
        send(.probed(EndpointID(endpoint), healthy: !machines[endpoint].isDead))
    }

    // MARK: Faults

    mutating func begin(_ fault: EngineFault) {
        let endpoint = fault.endpoint
        switch fault.kind {
        case .dies:
            machines[endpoint].isDead = true
            restart(endpoint)
        case .restarts: restart(endpoint)
        case .stalls: machines[endpoint].stalledUntil = now + fault.lasts
        case .slows: machines[endpoint].slowness = 3
        case .scrapesStale: machines[endpoint].areScrapesStale = true
        case .scrapesAbsent: machines[endpoint].areScrapesAbsent = true
        }
    }

    mutating func end(_ fault: EngineFault) {
        switch fault.kind {
        case .dies: machines[fault.endpoint].isDead = false
        case .slows: machines[fault.endpoint].slowness = 1
        case .scrapesStale: machines[fault.endpoint].areScrapesStale = false
        case .scrapesAbsent: machines[fault.endpoint].areScrapesAbsent = false
        case .restarts, .stalls: return
        }
    }

    private mutating func restart(_ endpoint: Int) {
        for visit in machines[endpoint].restart() {
            fail(visit, visits[visit].firstAt == nil ? .reset(bytesSent: true) : .truncated)
        }
    }
}
