import EngineModel

/// Runs an engine in virtual time and keeps what each sequence said.
struct EngineDriver {
    var engine: BatchingEngine
    var nanoseconds: Int64 = 0
    var plans: [StepPlan] = []
    var tokens: [SequenceID: [Int32]] = [:]
    var finishes: [SequenceID: FinishReason] = [:]
    /// The order in which sequences ended.
    var finished: [SequenceID] = []
    var cached: [SequenceID: Int] = [:]
    var report = StepReport()

    init(_ change: (inout EngineSettings) -> Void = { _ in }) {
        var settings = EngineSettings(profile: .standard)
        settings.noiseSigma = 0
        change(&settings)
        engine = BatchingEngine(settings: settings)
    }

    struct Refused: Error {
        var reason: AdmissionRefusal
    }

    struct Idle: Error {}

    /// Submits and returns the id.
    mutating func submit(
        _ tokenIDs: [Int32], maximumTokens: Int, _ change: (inout SequenceRequest) -> Void = { _ in }
    ) throws -> SequenceID {
        var request = SequenceRequest(prompt: PromptDigest(tokenIDs, seed: 1), maximumTokens: maximumTokens)
        request.ignoresEnd = true
        change(&request)
        switch engine.submit(request) {
        case .queued(let id): return id
        case .refused(let reason): throw Refused(reason: reason)
        }
    }

    /// One step, which must have something to do.
    mutating func mustStep() throws -> StepPlan {
        guard let plan = step() else { throw Idle() }
        return plan
    }

    @discardableResult
    mutating func step() -> StepPlan? {
        guard let plan = engine.beginStep() else { return nil }
        plans.append(plan)
        nanoseconds += plan.nanoseconds
        engine.endStep(into: &report)
        for emission in report.emissions {
            if emission.token != Token.none { tokens[emission.sequence, default: []].append(emission.token) }
            cached[emission.sequence] = Int(emission.cachedTokens)
            guard let finish = emission.finish else { continue }
            finishes[emission.sequence] = finish
            finished.append(emission.sequence)
        }
        return plan
    }

    /// Steps until nothing is left, at most `limit` times.
    mutating func drain(limit: Int = 100_000) {
        for _ in 0..<limit where step() == nil { return }
    }
}

/// A prompt of this many tokens; different `salt`, different tokens.
func prompt(_ count: Int, salt: Int32 = 0) -> [Int32] {
    (0..<Int32(count)).map { Token.user + 1_100 + ($0 &* 31 &+ salt &* 7_919) % 20_000 }
}
