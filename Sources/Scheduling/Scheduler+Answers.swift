import EndpointPicking
import FleetTracking
package import FlowControl

/// What becomes of works that are in flight.
extension Scheduler {
    /// The slot of a work that is in flight; nil (and counted) when it is unknown or waits.
    private mutating func inFlight(_ work: WorkID) -> (slot: Int, endpoint: EndpointID)? {
        guard let slot = works.slot(of: work), let endpoint = works[slot].endpoint else {
            ignoredEvents += 1
            return nil
        }
        return (slot, endpoint)
    }

    mutating func started(_ work: WorkID, _ now: Instant, _ effects: inout [Effect]) {
        guard let (slot, endpoint) = inFlight(work) else { return }
        guard works[slot].startedAt == nil else {
            ignoredEvents += 1
            return
        }
        works[slot].startedAt = now
        let (hasMore, change) = fleet.answered(works[slot].prefillTicket, works[slot].demand.band, on: endpoint)
        report(change, &effects)
        began(works[slot], on: endpoint, now, &effects)
        if hasMore { settle(works[slot].pool, now, &effects) }
    }

    /// A stream's first token: what was predicted meets what came. Of an answer that is no stream the first byte says
    /// nothing of its prefill.
    private mutating func began(_ work: WorkState, on endpoint: EndpointID, _ now: Instant, _ effects: inout [Effect]) {
        guard work.demand.isStream else { return }
        let took = now.milliseconds(since: work.forwardedAt)
        fleet.began(
            FirstToken(ticket: work.prefillTicket, predicted: work.forecast?.firstToken, took: took),
            on: endpoint, at: now)
        guard let forecast = work.forecast else { return }
        effects.append(.observe(.firstToken(PoolID(work.pool), predicted: forecast.firstToken, took: took)))
    }

    mutating func progressed(_ reports: [Progress], _ now: Instant) {
        for report in reports {
            guard let (slot, endpoint) = inFlight(report.work) else { continue }
            let tokens = min(max(0, report.outputTokens), 1 << 20)
            fleet.produced(tokens, on: endpoint)
            let ticket = works[slot].prefillTicket
            // Of several answers the tokens are not one to a step.
            let last = works[slot].demand.sequences == 1 ? report.lastOutputAt : nil
            fleet.paced(ticket, tokens: tokens, last: last, on: endpoint, at: now)
            works[slot].producedTokens += tokens
            pools[works[slot].pool].produced(tokens, band: works[slot].demand.band)
        }
    }

    mutating func finished(_ id: WorkID, _ completion: Completion, _ now: Instant, _ effects: inout [Effect]) {
        guard let (slot, endpoint) = inFlight(id) else { return }
        let work = works[slot]
        learnPrefill(work, completion, on: endpoint, now)
        if work.startedAt == nil, completion.outcome.isAnswer, completion.status < 500 {
            works[slot].startedAt = now
            // A refusal proves no prefill: it leaves the queue by itself, not with all that came before it.
            let change = fleet.answered(
                work.prefillTicket, work.demand.band, on: endpoint, isPrefilled: completion.status < 300
            ).change
            report(change, &effects)
        }
        let change = judge(completion, of: endpoint, now)
        // An answer that was not streamed tells its tokens only now.
        let untold = min(max(0, (completion.outputTokens ?? 0) - work.producedTokens), 1 << 20)
        pools[work.pool].produced(untold, band: work.demand.band)
        learnLength(work, completion)
        learnPrefix(work, completion, on: endpoint)
        end(slot, now)
        report(change, &effects)
        settle(work.pool, now, &effects)
    }

    /// What an answer says about its endpoint. One that answers 5xx to everything must leave the rotation too; a client
    /// that went away says nothing, nor do limits of ours.
    private mutating func judge(_ completion: Completion, of endpoint: EndpointID, _ now: Instant) -> HealthChange? {
        switch completion.outcome {
        case .clientGone, .withdrawn, .shuttingDown, .answerTooLarge, .bufferBudget: return nil
        case .completed where completion.status < 500, .engineStreamError where completion.status < 500:
            fleet.attemptSucceeded(endpoint)
            return nil
        default: return fleet.attemptFailed(endpoint, at: now)
        }
    }

    /// Answers that ended by themselves tell how long such answers are. With several sequences: the length of one.
    private mutating func learnLength(_ work: WorkState, _ completion: Completion) {
        guard case .completed = completion.outcome, completion.status < 300, let output = completion.outputTokens else {
            return
        }
        pools[work.pool].lengths.learn(
            output / work.demand.sequences, model: work.model, tenant: work.tenant)
    }

    /// Usage says what the engine found of the prompt in its cache. Tokens there are the engine's, here estimated ones.
    private mutating func learnPrefix(_ work: WorkState, _ completion: Completion, on endpoint: EndpointID) {
        guard case .completed = completion.outcome, completion.status < 300, !work.prefix.isEmpty,
            let told = completion.promptTokens, told > 0
        else { return }
        let scale = Double(work.demand.promptTokens) / Double(told)
        let found = completion.cachedTokens.map { Int(min(1e9, Double(max(0, $0)) * scale)) }
        let output = Int(min(1e9, Double(max(0, completion.outputTokens ?? 0)) * scale))
        fleet.found(found, of: work.match, outputTokens: output, on: endpoint)
    }

    /// Streamed answers tell how long a prefill took. An answer whose tokens all came at once was not streamed: its
    /// first byte says nothing about prefill.
    private mutating func learnPrefill(
        _ work: WorkState, _ completion: Completion, on endpoint: EndpointID, _ now: Instant
    ) {
        guard let startedAt = work.startedAt, let output = completion.outputTokens, output > 8 else { return }
        guard (now - startedAt).milliseconds / Double(output) > 0.2 else { return }
        fleet.measuredPrefill(tokens: work.prefillTokens, took: startedAt - work.forwardedAt, on: endpoint)
    }

    mutating func report(_ change: HealthChange?, _ effects: inout [Effect]) {
        switch change {
        case nil: return
        case .ejected(let endpoint): effects.append(.observe(.ejected(endpoint)))
        case .restored(let endpoint): effects.append(.observe(.restored(endpoint)))
        }
    }

    // MARK: Failures

    mutating func failed(_ id: WorkID, _ failure: AttemptFailure, _ now: Instant, _ effects: inout [Effect]) {
        guard let (slot, endpoint) = inFlight(id) else { return }
        release(slot, now)
        if case .full(let retryAfter) = failure {
            fleet.saidFull(endpoint, retryAfter: retryAfter, ticket: works[slot].prefillTicket, at: now)
        } else {
            works[slot].failures += 1
            report(fleet.attemptFailed(endpoint, at: now), &effects)
        }
        let pool = works[slot].pool
        works[slot].tried.insert(endpoint)
        if !triedElsewhere(slot, failure, now, &effects) {
            works.remove(slot)
            effects.append(.refuse(id, failure.outcome, retryAfter: advice(after: failure, pool: pool, now)))
        }
        settle(pool, now, &effects)
    }

    /// Sends a failed real-time work to another endpoint or lets it wait for one. False when it is over.
    private mutating func triedElsewhere(
        _ slot: Int, _ failure: AttemptFailure, _ now: Instant, _ effects: inout [Effect]
    ) -> Bool {
        let work = works[slot]
        guard work.demand.band == .realtime, work.startedAt == nil, failure.mayGoElsewhere(work) else { return false }
        let limit = min(max(1, pools[work.pool].settings.retry.attempts), TriedEndpoints.limit)
        if !failure.isFull, work.failures >= limit { return false }
        if work.attemptsInRound < limit, hasUntried(slot) {
            if pools[work.pool].retryBudget.spend(at: now) {
                effects.append(.observe(.retried(PoolID(work.pool), failure)))
                if case .chosen(let endpoint, let matched) = pick(slot, now) {
                    forward(slot, to: endpoint, matchedTokens: matched, now, &effects)
                    return true
                }
                return waitAgain(slot, now)
            }
            effects.append(.observe(.retryBudgetSpent(PoolID(work.pool))))
        }
        // Every engine said full, or no more may be asked now: room will come, by a sample, an end or a pause's end.
        guard failure.isFull else { return false }
        works[slot].foundEnginesFull = true
        works[slot].tried = TriedEndpoints()
        return waitAgain(slot, now)
    }

    /// Back to its place in the queue for what is left of its time to live. False when there is no time or place.
    private mutating func waitAgain(_ slot: Int, _ now: Instant) -> Bool {
        guard works[slot].expiresAt > now, hasPlace(for: works[slot]) else { return false }
        wait(slot)
        return true
    }

    private mutating func advice(after failure: AttemptFailure, pool: Int, _ now: Instant) -> Duration? {
        guard case .full(let engines) = failure else { return nil }
        let own = retryAfter(.realtime, pool: pool, now)
        return engines.map { min(max($0, own), pools[pool].settings.flow.longestRetry) } ?? own
    }
}

extension Outcome {
    /// The engine answered, whatever it said.
    fileprivate var isAnswer: Bool {
        switch self {
        case .completed, .engineStreamError: true
        default: false
        }
    }
}

extension AttemptFailure {
    var isFull: Bool { if case .full = self { true } else { false } }

    /// Whether another endpoint may be asked: nothing came back, and nothing was sent that may have had effects.
    func mayGoElsewhere(_ work: WorkState) -> Bool {
        switch self {
        case .connect: true
        case .full: work.mayRetryAfterSend
        case .reset(let bytesSent): work.mayRetryAfterSend || !bytesSent
        case .firstByteTimeout, .truncated, .idleTimeout, .protocolError: false
        }
    }

    /// How a work ends whose last attempt failed like this.
    package var outcome: Outcome {
        switch self {
        case .connect: .connectFailed
        case .full: .enginesFull
        case .reset: .engineReset
        case .firstByteTimeout: .firstByteTimeout
        case .truncated: .engineTruncated
        case .idleTimeout: .idleTimeout
        case .protocolError: .engineProtocol
        }
    }
}
