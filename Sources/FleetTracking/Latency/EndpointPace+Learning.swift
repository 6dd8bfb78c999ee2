/// The stream by whose tokens an endpoint's steps are counted, and what was there when its window began.
struct PaceProbe: Sendable {
    let ticket: Int
    /// When the window began, with a token.
    var since: Instant
    var decodes: Double
    var context: Double
    /// Tokens since.
    var steps = 0.0
}

extension EndpointPace {
    /// Tokens of one window beyond which it is begun anew: something keeps it from being clear.
    private static let longestWindow = 512.0
    /// A probe that says nothing for so many nanoseconds gives way to another.
    private static let longestSilence: Int64 = 2_000_000_000

    /// A stream reported tokens, the last of them at `last`. When it is the probe and its window is clear, the window is
    /// learned from: so many steps, in exactly that time.
    ///
    /// A window is clear when its prefills are known: those that ended in it, and none that is spread over steps of
    /// which some lie outside.
    mutating func progressed(
        _ ticket: Int, tokens: Int, last: Instant, at now: Instant, _ model: inout StepModel
    ) {
        sawToken(at: last, model.terms)
        guard tokens > 0 else { return }
        guard var window = probe, window.ticket == ticket else {
            if let probe, now.nanoseconds(since: probe.since) < EndpointPace.longestSilence { return }
            probe = beginWindow(ticket, last, now)
            return
        }
        window.steps += Double(min(tokens, 1 << 20))
        guard last > window.since, !isSpread(at: now) else {
            probe = window.steps > EndpointPace.longestWindow ? nil : window
            return
        }
        probe = beginWindow(ticket, last, now)
        guard let sum = sum(window, until: last, at: now, model.terms) else { return }
        model.learn(sum, took: last.milliseconds(since: window.since), bias: &bias)
    }

    /// Tokens of this stream came at times that are not known: no window reaches over them.
    mutating func endWindow(of ticket: Int) {
        if probe?.ticket == ticket { probe = nil }
    }

    private func beginWindow(_ ticket: Int, _ last: Instant, _ now: Instant) -> PaceProbe? {
        guard !isSpread(at: now) else { return nil }
        let (decodes, context) = residents(at: now)
        return PaceProbe(ticket: ticket, since: last, decodes: decodes, context: context)
    }

    /// What waits for its prefill is more than one step takes, or a step computed a part of it already.
    private func isSpread(at now: Instant) -> Bool {
        pending.tokens + residents(at: now).decodes > batchTokens || pending.front?.isPartial == true
    }

    /// All steps of a window. Nil when it cannot be told what they were.
    private func sum(_ window: PaceProbe, until last: Instant, at now: Instant, _ terms: StepTerms) -> StepSum? {
        let (decodesNow, contextNow) = residents(at: now)
        var content = StepContent()
        content.decodes = max(1, (window.decodes + decodesNow) / 2)
        content.context = (window.context + contextNow) / 2
        let room = max(64, batchTokens - content.decodes)
        let reach = tolerance(terms)
        var sum = StepSum()
        let isComplete = marks.each(
            after: window.since.adding(nanoseconds: reach), upTo: last.adding(nanoseconds: reach)
        ) { mark in
            // More than a step holds: of two that were told of at about the same time.
            let full = mark.tokens <= room ? 0 : (mark.tokens / room).rounded(.up) - 1
            var step = content
            step.tokens = room
            sum.add(step, count: full, by: terms)
            step.tokens = mark.tokens - full * room
            step.pairs = mark.pairs
            step.prompts = mark.prompts
            sum.add(step, by: terms)
        }
        guard isComplete, sum.steps <= window.steps else { return nil }
        sum.add(content, count: window.steps - sum.steps, by: terms)
        return sum
    }
}
