import FleetTracking
import Testing

@Suite struct StepModelTests {
    static let truth = StepTerms(
        floor: 6.5, base: 2.5, token: 0.0218, context: 7.6e-5, pair: 1.05e-6, sequence: 0.0044)

    /// A window of steps as traffic brings them: mostly decodes, now and then a prompt.
    static func window(_ generator: inout SeededGenerator, by terms: StepTerms) -> [(StepContent, Double)] {
        var decode = StepContent()
        decode.decodes = Double(5 + generator.below(120))
        decode.context = decode.decodes * Double(400 + generator.below(1200))
        var steps = [(decode, Double(2 + generator.below(5)))]
        if generator.below(2) == 0 {
            var prefill = decode
            prefill.tokens = Double(50 + generator.below(4000))
            prefill.pairs = prefill.tokens * prefill.tokens / 2
            prefill.prompts = 1
            steps.append((prefill, 1))
        }
        return steps
    }

    static func learn(
        _ model: inout StepModel, _ bias: inout SpeedBias, _ generator: inout SeededGenerator, windows: Int,
        slowness: Double = 1
    ) {
        for _ in 0..<windows {
            let steps = window(&generator, by: truth)
            var sum = StepSum()
            var took = 0.0
            for (step, count) in steps {
                sum.add(step, count: count, by: model.terms)
                took += count * truth.milliseconds(of: step) * slowness * (0.96 + 0.08 * generator.unit())
            }
            model.learn(sum, took: took, bias: &bias)
        }
    }

    /// The largest relative error over many windows.
    static func error(_ model: StepModel, _ bias: SpeedBias, slowness: Double = 1) -> Double {
        errors(model, bias, slowness).last ?? .infinity
    }

    /// Ascending.
    static func errors(_ model: StepModel, _ bias: SpeedBias, _ slowness: Double = 1) -> [Double] {
        var generator = SeededGenerator(seed: 99)
        var found: [Double] = []
        for _ in 0..<200 {
            for (step, _) in window(&generator, by: truth) {
                let real = truth.milliseconds(of: step) * slowness
                found.append(abs(bias.factor * model.terms.milliseconds(of: step) / real - 1))
            }
        }
        return found.sorted()
    }

    @Test(arguments: [[2.0, 2, 2, 2, 2, 2], [0.5, 0.5, 0.5, 0.5, 0.5, 0.5], [2, 0.5, 2, 0.5, 2, 0.5]])
    func `terms are found from priors twice off`(_ factors: [Double]) {
        let prior = StepTerms(
            floor: Self.truth.floor * factors[0], base: Self.truth.base * factors[1],
            token: Self.truth.token * factors[2], context: Self.truth.context * factors[3],
            pair: Self.truth.pair * factors[4], sequence: Self.truth.sequence * factors[5])
        var model = StepModel(prior: prior)
        var bias = SpeedBias()
        var generator = SeededGenerator(seed: 1)
        #expect(Self.error(model, bias) > 0.4)
        Self.learn(&model, &bias, &generator, windows: 400)
        #expect(Self.error(model, bias) < 0.06)
    }

    @Test func `single outliers move nothing, a lasting change is found within a few windows`() {
        var model = StepModel(prior: Self.truth)
        var bias = SpeedBias()
        var generator = SeededGenerator(seed: 2)
        Self.learn(&model, &bias, &generator, windows: 300)
        let drifts = model.drifts
        for _ in 0..<30 {
            Self.learn(&model, &bias, &generator, windows: 1, slowness: 50)
            Self.learn(&model, &bias, &generator, windows: 9)
        }
        #expect(Self.error(model, bias) < 0.08)
        #expect(model.drifts == drifts)
        #expect(model.outliers >= 30)
        let terms = model.terms
        Self.learn(&model, &bias, &generator, windows: 20, slowness: 3)
        #expect(model.drifts == drifts + 1)
        #expect(Self.error(model, bias, slowness: 3) < 0.12)
        #expect(abs(model.terms.floor / terms.floor - 1) < 0.05, "its type is as before")
        Self.learn(&model, &bias, &generator, windows: 20)
        #expect(Self.error(model, bias) < 0.12)
    }

    @Test func `no input makes the terms unsound`() {
        let strange = [
            Double.nan, .infinity, -.infinity, -1, 0, 1e-300, 1e-9, 1e300, .greatestFiniteMagnitude, 5, 1e6,
        ]
        for seed in 0..<20 {
            var generator = SeededGenerator(seed: UInt64(seed))
            var model = StepModel()
            var bias = SpeedBias()
            func draw() -> Double { strange[generator.below(strange.count)] }
            for _ in 0..<2000 {
                var step = StepContent()
                (step.decodes, step.context, step.tokens) = (draw(), draw(), draw())
                (step.pairs, step.prompts) = (draw(), draw())
                var sum = StepSum()
                sum.add(step, count: draw(), by: model.terms)
                model.learn(sum, took: draw(), bias: &bias)
                model.learnFirstToken(predicted: draw(), took: draw())
                if !model.terms.isSound || !(bias.factor > 0) || !bias.factor.isFinite { break }
            }
            #expect(model.terms.isSound, "seed \(seed)")
            #expect(bias.factor.isFinite && bias.factor > 0 && bias.variance >= 0 && bias.variance <= 1)
            #expect((0...500).contains(model.overhead))
            // It learns again what is true.
            Self.learn(&model, &bias, &generator, windows: 3000)
            let errors = Self.errors(model, bias)
            #expect(errors[errors.count / 2] < 0.1, "seed \(seed)")
        }
    }

    @Test func `unsound priors are not taken`() {
        #expect(StepModel(prior: StepTerms(floor: .nan)).terms == StepTerms())
        #expect(StepModel(prior: StepTerms(token: 0)).terms == StepTerms())
    }

    @Test func `predictions are distrusted while they are far off, and trusted again later`() {
        var model = StepModel()
        #expect(model.isTrusted, "there is no cold start")
        for _ in 0..<100 { model.learnFirstToken(predicted: 10, took: 100) }
        #expect(model.recentError > 0.7)
        for _ in 0..<100 { model.learnFirstToken(predicted: 400, took: 100) }
        #expect(!model.isTrusted)
        for _ in 0..<100 { model.learnFirstToken(predicted: 100, took: 105) }
        #expect(model.isTrusted)
    }

    @Test func `the overhead follows the median, not the late ones`() {
        var model = StepModel()
        for number in 0..<2000 {
            model.learnFirstToken(predicted: model.overhead + 30, took: number % 4 == 0 ? 90 : 42)
        }
        #expect((10...16).contains(model.overhead), "\(model.overhead)")
    }
}
