/// What the steps of one type of engine cost, in milliseconds.
///
/// One step takes `max(floor, base + token * (P + B)) + context * K + pair * A + sequence * R`: P prompt tokens
/// prefilled, B sequences decoding, K KV tokens that the decodes read, A token pairs of prefill attention (over the
/// chunks, `n * (tokens before + n / 2)`), R sequences in the step. What a step costs whatever is in it counts in
/// both `floor` (reading the weights) and `base`.
package struct StepTerms: Sendable, Equatable {
    package var floor: Double
    package var base: Double
    package var token: Double
    package var context: Double
    package var pair: Double
    package var sequence: Double

    /// Default: between an L4 and an H100 with an 8B model, and nearest to an A100.
    package init(
        floor: Double = 12, base: Double = 2.5, token: Double = 0.07, context: Double = 1.2e-4, pair: Double = 3e-6,
        sequence: Double = 0.0044
    ) {
        self.floor = floor
        self.base = base
        self.token = token
        self.context = context
        self.pair = pair
        self.sequence = sequence
    }

    init(_ vector: SIMD8<Double>) {
        self.init(
            floor: vector[0], base: vector[1], token: vector[2], context: vector[3], pair: vector[4],
            sequence: vector[5])
    }

    var vector: SIMD8<Double> { SIMD8(floor, base, token, context, pair, sequence, 0, 0) }

    /// Every term is a number above 0 and of a size that some engine could have.
    package var isSound: Bool {
        let vector = vector
        return (0..<6).allSatisfy { vector[$0].isFinite && vector[$0] > 1e-12 && vector[$0] < 1e6 }
    }

    /// Whether reading the weights takes longer than computing this many tokens.
    @inline(__always)
    package func isAtFloor(_ tokens: Double) -> Bool { base + token * tokens < floor }

    /// One step's length in milliseconds.
    @inline(__always)
    package func milliseconds(of step: StepContent) -> Double {
        max(floor, base + token * (step.tokens + step.decodes)) + context * step.context + pair * step.pairs
            + sequence * (step.decodes + step.prompts)
    }
}

/// What one step of a batch computes.
package struct StepContent: Sendable, Equatable {
    /// Sequences that decode, and the KV tokens they read.
    package var decodes = 0.0
    package var context = 0.0
    /// Prompt tokens prefilled, their attention pairs, and how many prompts they are of.
    package var tokens = 0.0
    package var pairs = 0.0
    package var prompts = 0.0

    package init() {}
}

/// The sum of several steps, as the regression takes it.
package struct StepSum: Sendable, Equatable {
    package private(set) var steps = 0.0
    /// How often each term of `StepTerms` counts.
    private(set) var row = SIMD8<Double>()

    package init() {}

    /// Adds `count` equal steps. Which side of the floor they are on is as the terms in force say.
    package mutating func add(_ step: StepContent, count: Double = 1, by terms: StepTerms) {
        guard count > 0 else { return }
        steps += count
        let tokens = step.tokens + step.decodes
        let isAtFloor = terms.isAtFloor(tokens)
        row +=
            count
            * SIMD8(
                isAtFloor ? 1 : 0, isAtFloor ? 0 : 1, isAtFloor ? 0 : tokens, step.context, step.pairs,
                step.decodes + step.prompts, 0, 0)
    }
}
