import EngineModel
import FleetTracking

/// Made-up traffic: conversations that begin at random, share prefixes in groups, and go on for some turns.
package struct SyntheticTrace: Sendable {
    package var requests = 1000
    /// Jobs that wait in the store from the start.
    package var jobs = 0
    /// Conversations that begin in a second, on average.
    package var startsPerSecond = 5.0
    /// Coefficient of variation of the gaps between them: 1 is Poisson, more comes in bursts (gamma-distributed), 0 is
    /// even.
    package var variation = 1.0
    /// Seconds of one day, over which the rate rises from its trough to its crest and falls again.
    package var period = 86_400.0
    /// By what part of the mean rate crest and trough differ from it; 0: the rate is constant.
    package var depth = 0.0
    /// Turns of one conversation, on average; each repeats what came before.
    package var turns = 1.0
    /// Seconds between two turns, on average.
    package var pause = 20.0
    /// Groups of which each has its own opening (a system prompt); 0: nothing is shared but a conversation's past.
    package var groups = 0
    /// Tokens of one group's opening, in whole blocks of 64.
    package var opening = 128
    package var medianPrompt = 700.0
    package var medianOutput = 150.0
    /// Spread of the lengths (of the logarithm); 1.5 has a heavy tail.
    package var spread = 0.9
    package var longestPrompt = 8000
    package var longestOutput = 1000
    /// Share of the clients that go away early.
    package var cancelled = 0.0

    package init() {}

    private static let blockTokens = 64

    /// Same seed, same trace.
    package func generate(seed: UInt64) -> Trace {
        var generator = SeededGenerator(seed: seed)
        var made: [TraceRequest] = []
        var drawn = 0.0
        while made.count < requests {
            drawn += generator.gamma(variation: variation)
            converse(from: moment(of: drawn / max(1e-6, startsPerSecond)), &generator, &made)
        }
        made.removeLast(max(0, made.count - requests))
        var waiting: [TraceRequest] = []
        while waiting.count < jobs { converse(from: 0, &generator, &waiting) }
        waiting.removeLast(max(0, waiting.count - jobs))
        // They are there from the start.
        let first = made.map(\.arrival).min() ?? 0
        for index in waiting.indices { waiting[index].arrival = first }
        return Trace(made, jobs: waiting, blockTokens: SyntheticTrace.blockTokens)
    }

    /// The second in which so much of the traffic has come, given in seconds of the mean rate.
    ///
    /// The rate is `1 - depth * cos(t)` of the mean, so what has come is `t - depth * sin(t)`, which only grows: halving
    /// finds its inverse, and gaps keep their distribution in the traffic's own time.
    private func moment(of come: Double) -> Double {
        let swing = depth * max(1, period) / (2 * Double.pi)
        guard swing > 0 else { return come }
        var (low, high) = (max(0, come - swing), come + swing)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if middle - swing * Series.sine(turns: middle / max(1, period)) < come {
                low = middle
            } else {
                high = middle
            }
        }
        return low
    }

    private func converse(from start: Double, _ generator: inout SeededGenerator, _ made: inout [TraceRequest]) {
        var at = start
        var context = 0
        var last = generator.next()
        var blocks: [UInt64] = []
        if groups > 0 {
            let group = UInt64(generator.below(groups))
            for index in 0..<max(0, opening / SyntheticTrace.blockTokens) {
                blocks.append(SeededGenerator.mix(group &* 4096 &+ UInt64(index) &+ 1))
            }
            context = blocks.count * SyntheticTrace.blockTokens
        }
        repeat {
            let limit = max(1, longestPrompt - context)
            let prompt = context + generator.tokens(median: medianPrompt, sigma: spread, most: limit)
            let output = generator.tokens(median: medianOutput, sigma: spread, most: longestOutput)
            while (blocks.count + 1) * SyntheticTrace.blockTokens <= prompt {
                last = SeededGenerator.mix(last &+ 1)
                blocks.append(last)
            }
            var request = TraceRequest(
                arrival: Int64(min(1e18, at * 1e9)), promptTokens: prompt, outputTokens: output, blocks: blocks)
            if generator.unit() < cancelled { request.cancelAfter = Int64(generator.exponential() * 2e9) }
            made.append(request)
            context = prompt + output
            at += generator.exponential() * pause
        } while context < longestPrompt && generator.unit() < 1 - 1 / max(1, turns)
    }
}
