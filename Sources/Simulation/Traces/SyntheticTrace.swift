import FleetTracking

/// Made-up traffic: conversations that begin at random, share prefixes in groups, and go on for some turns.
package struct SyntheticTrace: Sendable {
    package var requests = 1000
    /// Conversations that begin in a second, on average.
    package var startsPerSecond = 5.0
    /// 1: Poisson. More: so many begin at once, as seldom as keeps the mean.
    package var burst = 1
    /// Turns of one conversation, on average; each repeats what came before.
    package var turns = 1.0
    /// Seconds between two turns, on average.
    package var pause = 20.0
    /// Groups of which each has its own opening (a system prompt); 0: nothing is shared but a conversation's past.
    package var groups = 0
    /// Blocks of one group's opening.
    package var openingBlocks = 2
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
        var start = 0.0
        while made.count < requests {
            start += generator.exponential() / max(1e-6, startsPerSecond) * Double(max(1, burst))
            for _ in 0..<max(1, burst) where made.count < requests {
                converse(from: start, &generator, &made)
            }
        }
        return Trace(made, blockTokens: SyntheticTrace.blockTokens)
    }

    private func converse(from start: Double, _ generator: inout SeededGenerator, _ made: inout [TraceRequest]) {
        var at = start
        var context = 0
        var last = generator.next()
        var blocks: [UInt64] = []
        if groups > 0 {
            let group = UInt64(generator.below(groups))
            for index in 0..<max(0, openingBlocks) {
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
                arrival: Int64(at * 1e9), promptTokens: prompt, outputTokens: output, blocks: blocks)
            if generator.unit() < cancelled { request.cancelAfter = Int64(generator.exponential() * 2e9) }
            made.append(request)
            context = prompt + output
            at += generator.exponential() * pause
        } while made.count < requests && context < longestPrompt && generator.unit() < 1 - 1 / max(1, turns)
    }
}
