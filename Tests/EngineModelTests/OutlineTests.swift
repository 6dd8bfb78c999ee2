import Testing

@testable import EngineModel

/// An engine that generates no content takes the same steps as one that does.
struct OutlineTests {
    /// One request of a random mix.
    struct Draw {
        var tokens: Int
        var output: Int
        var seed: UInt64
        /// Blocks that it shares with others of its group.
        var shared: [UInt64]
        /// The step before which it is submitted.
        var step: Int
        /// The step before which it is aborted; nil: never.
        var abortedAt: Int?
    }

    /// Everything that a driver can see of a run.
    struct Course: Equatable {
        var plans: [StepPlan] = []
        var gauges: [EngineGauges] = []
        var firsts: [String] = []
        var ends: [String] = []
        var counters = EngineCounters()
    }

    @Test(arguments: 0..<40) func takesTheSameSteps(seed: Int) {
        let draws = OutlineTests.draws(seed: UInt64(seed))
        let full = OutlineTests.run(draws, seed: UInt64(seed), generatesContent: true)
        let outline = OutlineTests.run(draws, seed: UInt64(seed), generatesContent: false)
        #expect(full.plans == outline.plans)
        #expect(full.gauges == outline.gauges)
        #expect(full.firsts == outline.firsts)
        #expect(full.ends == outline.ends)
        #expect(full.counters == outline.counters)
    }

    @Test func theMixPreemptsAndHits() {
        var preempted = 0
        var hits = 0
        for seed in 0..<40 {
            let course = OutlineTests.run(
                OutlineTests.draws(seed: UInt64(seed)), seed: UInt64(seed), generatesContent: false)
            preempted += course.counters.preempted
            hits += course.counters.prefixHits
        }
        #expect(preempted > 100)
        #expect(hits > 10_000)
    }

    @Test func reportsOnlyFirstTokensAndEnds() throws {
        var driver = EngineDriver { $0.generatesContent = false }
        let id = try driver.submit(prompt(100), maximumTokens: 50)
        var reported = 0
        while driver.step() != nil { reported += driver.report.emissions.count }
        #expect(reported == 2)
        #expect(driver.engine.counters.generatedTokens == 50)
        #expect(driver.finishes[id] == .length)
    }

    @Test func blocksBeyondThePromptAreLeftInTheCache() throws {
        var driver = EngineDriver { $0.generatesContent = false }
        let conversation = (0..<20).map { fold(UInt64($0), 77) }
        var first = SequenceRequest(
            prompt: PromptDigest(outline: 160, known: conversation, seed: 1), maximumTokens: 161)
        first.ignoresEnd = true
        _ = driver.engine.submit(first)
        driver.drain()
        let next = SequenceRequest(prompt: PromptDigest(outline: 330, known: conversation, seed: 2), maximumTokens: 1)
        guard case .queued(let id) = driver.engine.submit(next) else { throw EngineDriver.Idle() }
        driver.drain()
        #expect(driver.cached[id] == 320)
    }

    // MARK: Parts

    static func draws(seed: UInt64) -> [Draw] {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1
        func below(_ bound: Int) -> Int {
            state = fold(state, 0xd1b5_4a32_d192_ed03) ^ 0x9e37_79b9
            return Int(state >> 33) % bound
        }
        return (0..<60).map { index in
            let tokens = 1 + below(below(4) == 0 ? 900 : 120)
            let group = UInt64(below(4))
            let shared = below(2) == 0 ? min(tokens / 16, 1 + below(20)) : 0
            return Draw(
                tokens: tokens, output: 1 + below(90), seed: seed &* 1000 &+ UInt64(index) &+ 1,
                shared: (0..<shared).map { fold(group &+ 11, UInt64($0) &+ 5) }, step: below(80),
                abortedAt: below(6) == 0 ? 20 + below(100) : nil)
        }
    }

    static func run(_ draws: [Draw], seed: UInt64, generatesContent: Bool) -> Course {
        var settings = EngineSettings(profile: .standard)
        settings.kvTokens = 1200
        settings.maximumModelLength = 1100
        settings.batchTokens = 256
        settings.maximumSequences = 12
        settings.policy = seed % 3 == 0 ? .priority : .firstComeFirstServed
        settings.seed = seed
        settings.generatesContent = generatesContent
        var engine = BatchingEngine(settings: settings)
        var course = Course()
        var ids: [SequenceID?] = Array(repeating: nil, count: draws.count)
        var report = StepReport()
        for step in 0..<20_000 {
            for (index, draw) in draws.enumerated() where draw.step == step {
                ids[index] = submit(draw, index, to: &engine, generatesContent: generatesContent)
            }
            for (index, draw) in draws.enumerated() where draw.abortedAt == step {
                if let id = ids[index] { engine.abort(id) }
            }
            course.gauges.append(engine.gauges)
            guard let plan = engine.beginStep() else {
                if step > 200, engine.isIdle { break }
                continue
            }
            course.plans.append(plan)
            engine.endStep(into: &report)
            for emission in report.emissions {
                if emission.outputTokens == 1 { course.firsts.append("\(emission.sequence) \(emission.cachedTokens)") }
                if let finish = emission.finish { course.ends.append("\(emission.sequence) \(finish)") }
            }
        }
        course.counters = engine.counters
        return course
    }

    private static func submit(
        _ draw: Draw, _ index: Int, to engine: inout BatchingEngine, generatesContent: Bool
    ) -> SequenceID? {
        let digest =
            generatesContent
            ? PromptDigest(tokens: draw.tokens, blockHashes: draw.shared, seed: draw.seed)
            : PromptDigest(outline: draw.tokens, known: draw.shared, seed: draw.seed)
        var request = SequenceRequest(prompt: digest, maximumTokens: draw.output)
        request.ignoresEnd = true
        request.priority = index % 3
        guard case .queued(let id) = engine.submit(request) else { return nil }
        return id
    }
}
