import EngineModel
import NIOCore

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The engine with its clock and its requests: begins a step when there is work, and when the step's time has passed
/// hands each request its tokens, with one write per connection.
///
/// Everything of one engine lives on one event loop, so nothing here is locked.
final class EngineRoom {
    let options: EngineOptions
    let loop: any EventLoop
    let reader: RequestReader
    let tokenizer = Tokenizer()
    var engine: BatchingEngine
    var statistics = EngineStatistics()
    var faults: FaultPlan
    /// Ends the process as a crash does.
    let crash: () -> Void
    /// Stops listening for this many seconds.
    var refuseConnections: (Double) -> Void = { _ in }
    /// Before this nothing but the admin paths is served.
    let readyAt: NIODeadline
    var openConnections = 0
    /// Calls in progress, and those that were cut off.
    var activeCalls = 0
    var abortedCalls = 0
    var finishedCalls = 0
    /// By `SequenceID.index`.
    private var owners: [(call: EngineCall, branch: Int)?] = []
    private var report = StepReport()
    private var touched: [EngineCall] = []
    private var isStepping = false
    /// When the newest step ends or ended by the model's clock.
    private var stepEnd = NIODeadline.now()
    /// Longest time by which a step ended late: the machine, not the model, was slow.
    private(set) var maximumLag = TimeAmount.zero
    /// Sequences and prompt tokens that were admitted and wait for the request overhead to pass.
    private var arriving = (sequences: 0, tokens: 0)
    private var serial: UInt64 = 0
    private var faultDraws: UInt64 = 0

    /// A step that follows one which ended late by less than this begins, for the model, where that one should have
    /// ended: timers are late by a little each time, and the lateness must not add up.
    private static let catchUp = TimeAmount.milliseconds(20)

    init(options: EngineOptions, loop: any EventLoop, crash: @escaping () -> Void) {
        self.options = options
        self.loop = loop
        self.crash = crash
        engine = BatchingEngine(settings: options.engine)
        faults = options.faults
        reader = RequestReader(options: options, tokenizer: tokenizer)
        readyAt = .now() + TimeAmount(options.startupDelay)
    }

    var isReady: Bool { NIODeadline.now() >= readyAt }

    /// Seconds since 1970.
    var wallTime: Int { Int(time(nil)) }

    /// A fresh id with this prefix; the client's own request id where it sent one, as in vLLM.
    func makeID(prefix: String, requestID: String?) -> String {
        if let requestID { return prefix + requestID }
        serial += 1
        let digest = textDigest(prefix, seed: options.engine.seed &+ serial &* 0x9e37_79b9)
        let high = String(digest, radix: 16)
        let low = String(textDigest(high, seed: serial), radix: 16)
        return prefix + (high + low + String(repeating: "0", count: 32)).prefix(32)
    }

    /// The faults of one request, or nil when it is not struck.
    func drawFault() -> FaultPlan? {
        faultDraws += 1
        guard faults.oneIn > 1 else { return faults }
        return textDigest("fault", seed: faults.seed &+ faultDraws) % UInt64(faults.oneIn) == 0 ? faults : nil
    }

    /// Why this request would be refused now.
    func refusal(of request: GenerationRequest) -> EngineRefusal? {
        let refusal = engine.refusal(
            sequences: request.prompts.count * request.choices + arriving.sequences,
            promptTokens: request.promptTokens * request.choices + arriving.tokens)
        guard let refusal else { return nil }
        engine.countRefusal(refusal)
        switch refusal {
        case .tooManySequences(let limit): return .overloaded("The engine has \(limit) requests in flight, its limit.")
        case .tooManyPromptTokens(let limit):
            return .overloaded("The engine has \(limit) prompt tokens to prefill, its limit.")
        case .promptTooLong, .emptyPrompt: return .badRequest("The prompt is empty or too long.")
        }
    }

    /// Takes an admitted request; it enters the engine's queue when the request overhead has passed.
    func start(_ call: EngineCall) {
        activeCalls += 1
        arriving.sequences += call.branches.count
        arriving.tokens += call.request.promptTokens * call.request.choices
        loop.assumeIsolated().scheduleTask(in: scaled(options.requestOverhead)) { self.enqueue(call) }
    }

    private func scaled(_ duration: Duration) -> TimeAmount {
        .nanoseconds(Int64(Double(TimeAmount(duration).nanoseconds) / options.speed))
    }

    private func enqueue(_ call: EngineCall) {
        arriving.sequences -= call.branches.count
        arriving.tokens -= call.request.promptTokens * call.request.choices
        guard !call.isOver else { return }
        call.enqueuedAt = .now()
        let digests = call.request.prompts.map {
            PromptDigest($0, seed: call.request.modelSeed, salt: call.request.cacheSalt)
        }
        for index in call.branches.indices {
            let sequence = sequenceRequest(
                for: call.branches[index], of: call.request, prompt: digests[call.branches[index].prompt])
            guard case .queued(let id) = engine.submit(sequence) else {
                call.connection?.fail(call, with: .overloaded("The engine refused a request that it had admitted."))
                return
            }
            call.branches[index].sequence = id
            while owners.count <= id.index { owners.append(nil) }
            owners[id.index] = (call, index)
        }
        beginStep(after: call.enqueuedAt)
    }

    private func sequenceRequest(
        for branch: AnswerBranch, of request: GenerationRequest, prompt: PromptDigest
    ) -> SequenceRequest {
        var sequence = SequenceRequest(
            prompt: prompt, maximumTokens: request.maximumTokens ?? options.engine.maximumModelLength)
        sequence.minimumTokens = request.minimumTokens
        sequence.ignoresEnd = request.ignoresEnd
        sequence.stopTokens = request.stopTokens
        sequence.priority = request.priority
        let choice = branch.index % request.choices
        sequence.sampling = request.sampling ^ (choice == 0 ? 0 : textDigest("choice", seed: UInt64(choice)))
        sequence.dependsOnPosition = request.dependsOnPosition
        return sequence
    }

    /// The client of a call went away, or a fault cut it off: its sequences leave the engine.
    func cut(_ call: EngineCall) {
        guard !call.isOver else { return }
        end(call)
        abortedCalls += 1
        statistics.finishedAbort += call.unfinished
    }

    private func end(_ call: EngineCall) {
        call.isOver = true
        activeCalls -= 1
        for index in call.branches.indices {
            guard let id = call.branches[index].sequence else { continue }
            engine.abort(id)
            owners[id.index] = nil
            call.branches[index].sequence = nil
        }
    }

    /// Adapters with requests in the engine, in the options' order.
    func runningAdapters() -> [String] {
        let models = Set(owners.compactMap { $0?.call.request.model })
        return options.adapters.filter { models.contains($0) }
    }

    // MARK: - Steps

    /// Begins a step at a time that is now or was a moment ago, unless one is under way or there is nothing to do.
    private func beginStep(after time: NIODeadline) {
        guard !isStepping, let plan = engine.beginStep() else { return }
        isStepping = true
        statistics.iterationTokens.observe(Double(plan.load.prefillTokens + plan.load.decodes))
        for id in engine.started { owners[id.index]?.call.noteStart(at: time) }
        stepEnd = time + .nanoseconds(Int64(Double(plan.nanoseconds) / options.speed))
        loop.assumeIsolated().scheduleTask(deadline: stepEnd) { self.stepEnded() }
    }

    private func stepEnded() {
        let now = NIODeadline.now()
        maximumLag = max(maximumLag, now - stepEnd)
        isStepping = false
        engine.endStep(into: &report)
        for emission in report.emissions { deliver(emission) }
        for call in touched {
            call.isTouched = false
            settle(call, now: now)
        }
        touched.removeAll(keepingCapacity: true)
        beginStep(after: now - stepEnd < EngineRoom.catchUp ? stepEnd : now)
    }

    private func deliver(_ emission: Emission) {
        guard let owner = owners[emission.sequence.index] else { return }
        let call = owner.call
        let index = owner.branch
        guard !call.isOver, call.branches[index].sequence == emission.sequence else { return }
        let isStopped = call.branches[index].receive(emission, request: call.request, tokenizer: tokenizer)
        if emission.token != Token.none { call.generated += 1 }
        if isStopped { engine.finish(emission.sequence) }
        if call.branches[index].finish != nil {
            owners[emission.sequence.index] = nil
            call.branches[index].sequence = nil
            call.unfinished -= 1
        }
        call.connection?.append(call, branch: index)
        if !call.isTouched {
            call.isTouched = true
            touched.append(call)
        }
    }

    /// One write per call and step, and the end of calls whose last branch ended.
    private func settle(_ call: EngineCall, now: NIODeadline) {
        guard !call.isOver else { return }
        statistics.countTokens(of: call, now: now)
        if call.unfinished == 0, !call.isStalled {
            statistics.countEnd(of: call, now: now)
            finishedCalls += 1
            end(call)
            call.connection?.finish(call)
        } else {
            call.connection?.flush(call)
        }
    }
}
