/// One model server's engine: continuous batching in steps, KV blocks with a prefix cache, a waiting queue,
/// preemption by recomputing, and the time each step takes. The semantics are those of vLLM's V1 scheduler.
///
/// Pure: the caller owns the clock. In a loop, `beginStep` says what the next step computes and how long it takes;
/// when that time has passed, `endStep` yields one token for each sequence that got one. Sequences may be submitted
/// and aborted at any time between; what is aborted inside a step leaves the batch at the step's end, as in vLLM.
/// Same settings, same calls, same answers.
package struct BatchingEngine: Sendable {
    package let settings: EngineSettings
    package internal(set) var counters = EngineCounters()
    /// Sequences that left the waiting queue for the first time in the newest step.
    package internal(set) var started: ContiguousArray<SequenceID> = []
    var slots: ContiguousArray<SequenceSlot> = []
    var vacantSlots: ContiguousArray<Int32> = []
    /// Slots of the running sequences, in the order in which they were admitted.
    var running: ContiguousArray<Int32> = []
    var waiting = WaitingQueue()
    var pool: BlockPool
    var noise: StepNoise
    /// Cached blocks of the sequence that is being admitted.
    var found: ContiguousArray<Int32> = []
    let source: TokenSource
    var arrivals: UInt64 = 0
    var tokensInPrefill = 0
    var isInStep = false

    /// The settings must have no `problem`.
    package init(settings: EngineSettings) {
        precondition(settings.problem == nil, settings.problem ?? "")
        self.settings = settings
        pool = BlockPool(count: settings.blocks)
        noise = StepNoise(
            seed: fold(settings.seed ^ 0x6c62_272e_07bb_0142, 0x9e37_79b9_7f4a_7c15), sigma: settings.noiseSigma)
        source = TokenSource(meanOutputTokens: settings.meanOutputTokens)
    }

    package var gauges: EngineGauges {
        EngineGauges(
            running: running.count, waiting: waiting.count,
            kvUse: 1 - Double(pool.freeCount) / Double(max(1, pool.count)), freeBlocks: pool.freeCount,
            tokensInPrefill: tokensInPrefill)
    }

    /// No sequence waits or runs.
    package var isIdle: Bool { running.isEmpty && waiting.count == 0 }

    /// Why `sequences` more sequences with this many prompt tokens in all would be refused; nil: they would be taken.
    package func refusal(sequences: Int, promptTokens: Int) -> AdmissionRefusal? {
        if let limit = settings.maximumQueuedSequences, running.count + waiting.count + sequences > limit {
            return .tooManySequences(limit: limit)
        }
        if let limit = settings.maximumQueuedTokens, tokensInPrefill + promptTokens > limit {
            return .tooManyPromptTokens(limit: limit)
        }
        return nil
    }

    /// Puts a sequence into the waiting queue, or says why not.
    package mutating func submit(_ request: SequenceRequest) -> Admission {
        let tokens = request.prompt.tokens
        if tokens < 1 { return .refused(.emptyPrompt) }
        let room = settings.maximumModelLength - (request.maximumTokens > 0 ? 1 : 0)
        if tokens > room { return .refused(.promptTooLong(tokens: tokens, limit: settings.maximumModelLength)) }
        if let refusal = refusal(sequences: 1, promptTokens: tokens) {
            countRefusal(refusal)
            return .refused(refusal)
        }
        precondition(
            !settings.generatesContent || request.prompt.blockHashes.count >= tokens / settings.blockSize,
            "an outline of \(tokens) tokens in an engine that generates content")
        let index = vacantSlots.popLast() ?? appendSlot()
        fill(Int(index), with: request)
        arrivals += 1
        counters.submitted += 1
        tokensInPrefill += tokens
        let id = SequenceID(slot: index, generation: slots[Int(index)].generation)
        waiting.insert(entry(of: index, id: id))
        return .queued(id)
    }

    /// Counts a refusal that the caller learned from `refusal(sequences:promptTokens:)` and passed on.
    package mutating func countRefusal(_ refusal: AdmissionRefusal) {
        switch refusal {
        case .tooManySequences: counters.refusedSequences += 1
        case .tooManyPromptTokens: counters.refusedTokens += 1
        case .promptTooLong, .emptyPrompt: break
        }
    }

    /// Ends a sequence whose client went away. Its blocks stay findable until they are needed. A stale id is ignored.
    package mutating func abort(_ id: SequenceID) {
        if remove(id) { counters.aborted += 1 }
    }

    /// Ends a sequence whose text reached a stop string, which only the caller can see. A stale id is ignored.
    package mutating func finish(_ id: SequenceID) {
        if remove(id) { counters.finishedStop += 1 }
    }

    /// Fills `list` with the running sequences, in the order in which they were admitted.
    package func copyRunning(into list: inout ContiguousArray<RunningSequence>) {
        list.removeAll(keepingCapacity: true)
        for slot in running {
            let output = slots[Int(slot)].length - slots[Int(slot)].promptTokens
            list.append(RunningSequence(slot: slot, outputTokens: Int32(truncatingIfNeeded: output)))
        }
    }

    /// Forgets all cached prefixes that no sequence holds.
    package mutating func resetPrefixCache() { pool.forgetFree() }

    private mutating func appendSlot() -> Int32 {
        slots.append(SequenceSlot())
        return Int32(slots.count - 1)
    }

    private mutating func fill(_ index: Int, with request: SequenceRequest) {
        let prompt = request.prompt
        slots[index].phase = .waiting
        slots[index].arrival = arrivals
        slots[index].priority = settings.policy == .priority ? request.priority : 0
        slots[index].promptTokens = prompt.tokens
        slots[index].maximumTokens = min(request.maximumTokens, settings.maximumModelLength - prompt.tokens)
        slots[index].minimumTokens = request.minimumTokens
        slots[index].ignoresEnd = request.ignoresEnd
        slots[index].dependsOnPosition = request.dependsOnPosition
        slots[index].isPrefilling = true
        slots[index].wasPreempted = false
        slots[index].stopTokens = request.stopTokens
        slots[index].sampling = request.sampling ^ settings.seed
        slots[index].salt = prompt.salt
        slots[index].chain = prompt.chain
        slots[index].length = prompt.tokens
        slots[index].computed = 0
        slots[index].scheduled = 0
        slots[index].cachedTokens = 0
        slots[index].promptHashes = prompt.blockHashes
        slots[index].room = 0
        slots[index].nextPublish = .max
    }

    func entry(of index: Int32, id: SequenceID) -> WaitingQueue.Entry {
        let slot = slots[Int(index)]
        return WaitingQueue.Entry(priority: slot.priority, arrival: slot.arrival, id: id)
    }

    /// Takes a sequence out. Returns false when it is gone already.
    private mutating func remove(_ id: SequenceID) -> Bool {
        let index = Int(id.slot)
        guard slots.indices.contains(index), slots[index].generation == id.generation else { return false }
        switch slots[index].phase {
        case .vacant, .leaving: return false
        case .waiting:
            vacate(id.slot)
            waiting.forget { [slots] in slots[Int($0.slot)].generation == $0.generation }
        case .running:
            if isInStep {
                slots[index].phase = .leaving
            } else {
                running.removeAll { $0 == id.slot }
                releaseBlocks(of: index)
                vacate(id.slot)
            }
        }
        return true
    }

    /// The slot may be given out again.
    mutating func vacate(_ index: Int32) {
        if slots[Int(index)].isPrefilling { tokensInPrefill -= slots[Int(index)].promptTokens }
        slots[Int(index)].vacate()
        vacantSlots.append(index)
    }

    /// Gives its blocks back; their content stays findable.
    mutating func releaseBlocks(of index: Int) {
        let rest = slots[index].room / settings.blockSize - slots[index].blocks.count
        pool.release(slots[index].blocks, rest: rest)
        slots[index].blocks.removeAll(keepingCapacity: true)
        slots[index].room = 0
    }
}
