/// Where one engine's step loop is believed to be, from what we sent and what came back.
///
/// The engine ends a step with a token for each stream, so each token seen is the end of a step; between two of them
/// the loop is followed with the predicted step times, prompts in the order in which they were sent. Tokens seen set it
/// right again.
package struct EndpointPace: Sendable {
    /// Of its type's model.
    let type: Int
    /// Tokens that one step takes, and sequences that the engine runs at once.
    package internal(set) var batchTokens: Double
    package internal(set) var maximumSequences: Double
    package internal(set) var bias = SpeedBias()
    var pending = PendingPrompts()
    /// Our sequences that are past their prefill, and the tokens they hold; foreign ones as of the last sample.
    var decodes = 0.0
    var context = 0.0
    var foreign = (decodes: 0.0, context: 0.0, at: Instant(nanoseconds: .min))
    /// When the last step ended.
    private(set) var boundary = Instant(nanoseconds: .min)
    private var step: RunningStep?
    /// What prompts with lower tickets had to prefill is in `marks`.
    private var countedTicket = 0
    var marks = PrefillMarks()
    var probe: PaceProbe?

    /// A step that is believed to run now.
    private struct RunningStep: Sendable {
        var start: Instant
        var end: Instant
        /// What it prefills: tokens of so many prompts at the front.
        var tokens = 0.0
        var pairs = 0.0
        var prompts = 0
        /// Of these, prompts and what they will decode with, that end in it.
        var ended = (count: 0, sequences: 0.0, context: 0.0)
        /// Tokens of the prompt after those, which it does not end.
        var partial = 0.0
        /// The first token of a stream will say when it is over.
        var isWatched = false

        /// Nanoseconds.
        var duration: Int64 { end.nanoseconds(since: start) }
        var half: Int64 { duration / 2 }
    }

    // In nanoseconds.
    /// Foreign load counts for so long after its sample.
    private static let foreignLife: Int64 = 10_000_000_000
    /// Over a longer time without a token seen the place in the step is not known.
    private static let longestPhase: Int64 = 60_000_000_000
    /// Steps with prefill that are followed in one call; what is farther behind is followed by later ones, from now on.
    private static let stepsFollowed = 64

    package init(type: Int, batchTokens: Int, maximumSequences: Int) {
        self.type = type
        self.batchTokens = Double(max(1, batchTokens))
        self.maximumSequences = Double(max(1, maximumSequences))
    }

    /// What of ours is believed to be there.
    package struct Load: Sendable, Equatable {
        package var pendingTokens = 0.0
        package var decodes = 0.0
        package var context = 0.0

        package init() {}
    }

    package var load: Load {
        var load = Load()
        (load.pendingTokens, load.decodes, load.context) = (pending.tokens, decodes, context)
        return load
    }

    // MARK: What happens

    /// A prompt is sent; it will be in the engine's queue after the overhead.
    mutating func sent(_ demand: WorkDemand, uncached: Int, at now: Instant, overhead: Double) {
        let decoded = demand.isStream ? 0 : demand.expectedOutputTokens / 2
        pending.add(
            PendingPrompts.Prompt(
                tokens: Double(max(0, uncached)), before: Double(max(0, demand.promptTokens - uncached)),
                context: Double(demand.promptTokens + decoded), sequences: Double(demand.sequences),
                readyAt: now.adding(nanoseconds: Int64(min(1e12, overhead * 1e6))), isStream: demand.isStream))
    }

    /// The first token of a stream: a step ended now, and everything up to this ticket is prefilled.
    mutating func began(_ ticket: Int, at now: Instant, _ terms: StepTerms) {
        var mark = PrefillMarks.Mark(at: now)
        if let running = step, running.prompts > 0, now.nanoseconds(since: running.start) > running.half {
            account(running, &mark)
        }
        while pending.frontTicket <= ticket {
            let isCounted = pending.frontTicket < countedTicket
            guard let prompt = pending.popFirst() else { break }
            decodes += prompt.sequences
            context += prompt.context
            guard !isCounted else { continue }
            // It was there earlier than thought.
            mark.tokens += prompt.tokens
            mark.pairs += prompt.pairs(of: prompt.tokens)
            mark.prompts += 1
        }
        if mark.tokens > 0 { marks.add(mark, within: tolerance(terms)) }
        seen(stepEndAt: now)
    }

    /// What a step that is over computed, and how far the prompt is that it did not end.
    private mutating func account(_ running: RunningStep, _ mark: inout PrefillMarks.Mark) {
        mark.tokens += running.tokens
        mark.pairs += running.pairs
        mark.prompts += Double(running.prompts)
        countedTicket = pending.frontTicket + running.ended.count
        if running.partial > 0 { pending.compute(running.partial, at: running.ended.count) }
    }

    private mutating func seen(stepEndAt instant: Instant) {
        boundary = max(boundary, instant)
        step = nil
    }

    /// A token was seen at this time: a step ended.
    mutating func sawToken(at instant: Instant, _ terms: StepTerms) {
        guard instant > boundary else { return }
        if let running = step, instant.nanoseconds(since: running.start) > running.half {
            endStep(running, at: instant, terms)
        }
        seen(stepEndAt: instant)
    }

    /// A work leaves. `ticket` says whether it decodes already.
    mutating func left(_ departure: Departure) {
        if probe?.ticket == departure.ticket { probe = nil }
        if pending.withdraw(departure.ticket) {
            // The step that may be running was made with it.
            step = nil
            return
        }
        let demand = departure.demand
        let decoded = demand.isStream ? departure.producedTokens : demand.expectedOutputTokens / 2
        decodes = max(0, decodes - Double(demand.sequences))
        context = decodes == 0 ? 0 : max(0, context - Double(demand.promptTokens + decoded))
    }

    // MARK: The step loop

    /// Sequences that decode, ours and foreign ones, and their context.
    func residents(at now: Instant) -> (decodes: Double, context: Double) {
        guard foreign.decodes > 0, now.nanoseconds(since: foreign.at) < EndpointPace.foreignLife else {
            return (decodes, context)
        }
        return (decodes + foreign.decodes, context + foreign.context)
    }

    func decodeStep(at now: Instant) -> StepContent {
        var content = StepContent()
        (content.decodes, content.context) = residents(at: now)
        return content
    }

    /// First tokens closer together than this are of one step. Nanoseconds.
    func tolerance(_ terms: StepTerms) -> Int64 {
        Int64(min(1e9, bias.factor * max(terms.floor, terms.base) * 0.25e6))
    }

    /// Nanoseconds.
    func duration(_ content: StepContent, _ terms: StepTerms) -> Int64 {
        Int64(min(6e10, max(1e3, bias.factor * terms.milliseconds(of: content) * 1e6)))
    }

    /// Follows the step loop until now.
    mutating func advance(to now: Instant, _ terms: StepTerms) {
        for _ in 0..<EndpointPace.stepsFollowed {
            guard let running = step ?? nextStep(upTo: now, terms) else { return }
            step = running
            // What a first token will tell is awaited a little longer than predicted.
            guard now >= running.end.adding(nanoseconds: running.isWatched ? running.half : 0) else { return }
            endStep(running, at: running.isWatched ? now : running.end, terms)
        }
        step = nil
        boundary = now
    }

    private mutating func endStep(_ running: RunningStep, at end: Instant, _ terms: StepTerms) {
        boundary = end
        step = nil
        guard running.prompts > 0 else { return }
        var mark = PrefillMarks.Mark(at: end)
        account(running, &mark)
        for _ in 0..<running.ended.count {
            guard let prompt = pending.popFirst() else { break }
            decodes += prompt.sequences
            context += prompt.context
        }
        if mark.tokens > 0 { marks.add(mark, within: tolerance(terms)) }
    }

    /// The step that runs at `now`, or that must be ended before it; nil when the engine is idle.
    private mutating func nextStep(upTo now: Instant, _ terms: StepTerms) -> RunningStep? {
        var content = decodeStep(at: now)
        guard boundary <= now else { return nil }
        // What ended long ago says nothing of where the loop is now.
        var start = max(boundary, now.adding(nanoseconds: -EndpointPace.longestPhase))
        if content.decodes <= 0 {
            guard let front = pending.front else { return nil }
            start = max(start, front.readyAt)
            guard start <= now else { return nil }
        } else {
            // Whole steps of decodes pass while no prompt is in the queue.
            let length = duration(content, terms)
            let ready = pending.front?.readyAt ?? .distantFuture
            if ready > start {
                start = stepEnd(after: min(ready, now.adding(nanoseconds: 1)), from: start, length)
                guard start <= now else { return RunningStep(start: start.adding(nanoseconds: -length), end: start) }
            }
        }
        boundary = start
        var running = fill(from: start, room: max(64, batchTokens - content.decodes))
        content.tokens = running.tokens
        content.pairs = running.pairs
        content.prompts = Double(running.prompts)
        running.end = start.adding(nanoseconds: duration(content, terms))
        return running
    }

    /// The first end of a step at or after `instant` when steps of this length follow each other from `start` on.
    private func stepEnd(after instant: Instant, from start: Instant, _ length: Int64) -> Instant {
        let gap = instant.nanoseconds(since: start)
        guard gap > 0 else { return start }
        let length = max(1, length)
        let (end, overflow) = ((gap - 1) / length + 1).multipliedReportingOverflow(by: length)
        return start.adding(nanoseconds: overflow ? gap : end)
    }

    private func fill(from start: Instant, room: Double) -> RunningStep {
        var running = RunningStep(start: start, end: start)
        var left = room
        for index in 0..<pending.count {
            let prompt = pending[index]
            guard prompt.readyAt <= start, left > 0 || prompt.tokens == 0 else { break }
            let chunk = min(prompt.tokens, left)
            left -= chunk
            running.tokens += chunk
            running.pairs += prompt.pairs(of: chunk)
            running.prompts += 1
            guard chunk == prompt.tokens else {
                running.partial = chunk
                break
            }
            running.isWatched = running.isWatched || (prompt.isStream && prompt.sequences > 0)
            running.ended.count += 1
            running.ended.sequences += prompt.sequences
            running.ended.context += prompt.context
        }
        return running
    }

    // MARK: Forecasts

    /// What a request would meet that is sent now. `advance` comes first.
    func forecast(_ query: ForecastQuery, at now: Instant, _ terms: StepTerms, overhead: Double) -> LatencyForecast {
        var after = decodeStep(at: now)
        let gap = after
        var wait = overhead
        var ahead = (tokens: pending.tokens, pairs: pending.pairs, prompts: Double(pending.count))
        if let step {
            // What the running step prefills decodes after it.
            after.decodes += step.ended.sequences
            after.context += step.ended.context
            ahead.tokens -= step.tokens
            ahead.pairs -= step.pairs
            ahead.prompts -= Double(step.ended.count)
            // A step that should have ended is about to.
            let left = step.end.milliseconds(since: now)
            let length = bias.factor * terms.milliseconds(of: after)
            wait = max(left, 0.05 * Double(step.duration) / 1e6)
            // It must be in the queue when a step begins: what waits goes before it then, or a decode step passes.
            if wait < overhead {
                if ahead.tokens > 0 {
                    wait += prefill(after, ahead.tokens, pairs: ahead.pairs, prompts: ahead.prompts, terms)
                    ahead = (0, 0, 0)
                } else {
                    wait += ((overhead - wait) / max(1e-3, length)).rounded(.up) * length
                }
            }
        } else if gap.decodes > 0 {
            wait += bias.factor * terms.milliseconds(of: gap) / 2
        }
        let own = query.promptTokens - query.matchedTokens
        let queued = prefill(after, ahead.tokens, pairs: ahead.pairs, prompts: ahead.prompts, terms)
        let both = prefill(
            after, ahead.tokens + own, pairs: ahead.pairs + own * (query.matchedTokens + own / 2),
            prompts: ahead.prompts + query.sequences, terms)
        var joined = after
        joined.decodes += pending.sequences - (step?.ended.sequences ?? 0) + query.sequences
        joined.context += pending.context - (step?.ended.context ?? 0) + query.promptTokens
        var forecast = LatencyForecast()
        forecast.firstToken = wait + both
        forecast.ownPrefill = max(0, both - queued)
        forecast.interToken = bias.factor * terms.milliseconds(of: joined)
        forecast.residents = joined.decodes - query.sequences
        let excess = forecast.residents + query.sequences - maximumSequences
        if excess > 0 {
            // The engine holds it back until others have ended; these are taken to be as long as it.
            forecast.firstToken += excess * query.outputTokens * forecast.interToken / maximumSequences
        }
        return forecast
    }

    /// Time to prefill so many tokens beside the decodes, in whole steps.
    @inline(__always)
    private func prefill(
        _ decodes: StepContent, _ tokens: Double, pairs: Double, prompts: Double, _ terms: StepTerms
    ) -> Double {
        var content = decodes
        let room = max(64, batchTokens - decodes.decodes)
        let full = tokens <= room ? 0 : (tokens / room).rounded(.up) - 1
        content.tokens = room
        let fullSteps = full == 0 ? 0 : full * terms.milliseconds(of: content)
        content.tokens = tokens - full * room
        content.pairs = pairs
        content.prompts = prompts
        return bias.factor * (fullSteps + terms.milliseconds(of: content))
    }

    /// The length of the next step that begins now or later, in milliseconds; `advance` comes first.
    func nextStepMilliseconds(at now: Instant, _ terms: StepTerms) -> Double {
        var content = decodeStep(at: now)
        if let step {
            guard step.start < now else { return Double(step.duration) / 1e6 }
            content.decodes += step.ended.sequences
            content.context += step.ended.context
        }
        let room = max(64, batchTokens - content.decodes)
        let waiting = pending.tokens - (step?.tokens ?? 0)
        if waiting > 0 {
            content.tokens = min(room, waiting)
            content.pairs = (pending.pairs - (step?.pairs ?? 0)) * content.tokens / waiting
            content.prompts = Double(pending.count - (step?.ended.count ?? 0))
        }
        return bias.factor * terms.milliseconds(of: content)
    }
}
