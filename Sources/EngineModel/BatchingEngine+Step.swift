extension BatchingEngine {
    /// Chooses what the next step computes and how long that takes. Nil when there is nothing to do.
    ///
    /// Running sequences come first, one token for each that decodes and as much of a prompt as the budget allows;
    /// then waiting ones, unless blocks ran short. Ends with `endStep`.
    package mutating func beginStep() -> StepPlan? {
        precondition(!isInStep, "a step began inside another")
        let preemptedBefore = counters.preempted
        started.removeAll(keepingCapacity: true)
        var budget = settings.batchTokens
        scheduleRunning(budget: &budget)
        if counters.preempted == preemptedBefore { admitWaiting(budget: &budget) }
        let load = measureLoad()
        guard load.sequences > 0 else { return nil }
        isInStep = true
        counters.steps += 1
        counters.maximumRunning = max(counters.maximumRunning, running.count)
        let milliseconds = settings.stepTime.milliseconds(of: load) * noise.factor()
        return StepPlan(
            load: load, nanoseconds: max(1, Int64(milliseconds * 1e6)), preempted: counters.preempted - preemptedBefore)
    }

    /// Ends the step: every decode and every finished prefill yields a token; sequences that ended leave.
    package mutating func endStep(into report: inout StepReport) {
        precondition(isInStep, "a step ended that had not begun")
        isInStep = false
        report.emissions.removeAll(keepingCapacity: true)
        var kept = 0
        var position = 0
        while position < running.count {
            if !settings.generatesContent { finishDecodes(from: &position, kept: &kept) }
            guard position < running.count else { break }
            let index = running[position]
            position += 1
            if finishStep(of: index, emissions: &report.emissions) {
                running[kept] = index
                kept += 1
            } else {
                releaseBlocks(of: Int(index))
                vacate(index)
            }
        }
        running.removeLast(running.count - kept)
    }

    // MARK: - Scheduling

    private mutating func scheduleRunning(budget: inout Int) {
        var position = 0
        while true {
            scheduleDecodes(from: &position, budget: &budget)
            guard position < running.count, budget > 0 else { return }
            let index = Int(running[position])
            let tokens = min(slots[index].length - slots[index].computed, budget)
            if makeRoom(for: &position, tokens: tokens, budget: &budget) {
                schedule(index, tokens: tokens)
                budget -= tokens
                position += 1
            }
        }
    }

    /// Gives the sequence at `position` blocks for more tokens, preempting others until they suffice. Returns false
    /// when it had to go itself; `position` then names the one that follows it.
    private mutating func makeRoom(for position: inout Int, tokens: Int, budget: inout Int) -> Bool {
        let index = Int(running[position])
        while !grow(index, by: tokens) {
            let victim = victimPosition()
            let isItself = victim == position
            if victim < position {
                // It had its part of this step already: that part becomes free again.
                budget += slots[Int(running[victim])].scheduled
                position -= 1
            }
            preempt(at: victim)
            if isItself { return false }
        }
        return true
    }

    private mutating func admitWaiting(budget: inout Int) {
        while budget > 0, running.count < settings.maximumSequences {
            guard let id = firstWaiting() else { return }
            let index = Int(id.slot)
            let hits = cachedBlocks(of: index)
            let cached = hits * settings.blockSize
            let tokens = min(slots[index].length - cached, budget)
            guard claim(index, hits: hits, tokens: tokens) else { return }
            waiting.removeFirst()
            running.append(id.slot)
            slots[index].phase = .running
            slots[index].computed = cached
            if !slots[index].wasPreempted {
                started.append(id)
                slots[index].cachedTokens = cached
                counters.prefixQueries += slots[index].promptTokens
                counters.prefixHits += cached
            }
            schedule(index, tokens: tokens)
            budget -= tokens
        }
    }

    private mutating func firstWaiting() -> SequenceID? {
        guard waiting.count > 0 else { return nil }
        return waiting.first { [slots] in
            slots[Int($0.slot)].generation == $0.generation && slots[Int($0.slot)].phase == .waiting
        }?.id
    }

    /// Counts the tokens as computed and lets others find the blocks that become full.
    private mutating func schedule(_ index: Int, tokens: Int) {
        slots[index].scheduled = tokens
        slots[index].computed += tokens
        if slots[index].computed >= slots[index].nextPublish { publish(index, upTo: publishable(index)) }
    }

    /// Leading blocks that anybody may ever look for: all; of an outline those that are known, until a preemption makes
    /// the sequence look for its own.
    private func publishable(_ index: Int) -> Int {
        settings.generatesContent || slots[index].wasPreempted ? .max : slots[index].promptHashes.count
    }

    /// Lets others find the computed full blocks below `limit`.
    private mutating func publish(_ index: Int, upTo limit: Int) {
        let full = min(limit, slots[index].computed / settings.blockSize)
        while slots[index].published < full {
            let hash = slots[index].hash(ofBlock: slots[index].published)
            slots[index].blocks.append(pool.publish(hash: hash))
        }
        slots[index].nextPublish =
            slots[index].published < limit ? (slots[index].published + 1) * settings.blockSize : .max
    }

    /// Leading full blocks in the cache. At least one token is always computed, so a prompt that is wholly cached
    /// computes its last block again.
    private func cachedBlocks(of index: Int) -> Int {
        let most = min((slots[index].length - 1) / settings.blockSize, publishable(index))
        var hits = 0
        while hits < most, pool.cached(slots[index].hash(ofBlock: hits)) != nil { hits += 1 }
        return hits
    }

    /// Takes the cached blocks and fresh ones for the first chunk, or nothing when they do not fit.
    private mutating func claim(_ index: Int, hits: Int, tokens: Int) -> Bool {
        let total = (hits * settings.blockSize + tokens + settings.blockSize - 1) / settings.blockSize
        var freeHits = 0
        found.removeAll(keepingCapacity: true)
        for position in 0..<hits {
            guard let block = pool.cached(slots[index].hash(ofBlock: position)) else { break }
            if pool.isFree(block) { freeHits += 1 }
            found.append(block)
        }
        guard total - hits <= pool.freeCount - freeHits else { return false }
        for block in found { pool.retain(block) }
        slots[index].blocks.removeAll(keepingCapacity: true)
        slots[index].blocks.append(contentsOf: found)
        slots[index].room = hits * settings.blockSize
        slots[index].nextPublish = hits < publishable(index) ? (hits + 1) * settings.blockSize : .max
        return grow(index, to: total)
    }

    private mutating func grow(_ index: Int, by tokens: Int) -> Bool {
        let needed = slots[index].computed + tokens
        return needed <= slots[index].room
            || grow(index, to: (needed + settings.blockSize - 1) / settings.blockSize)
    }

    /// Fresh blocks until the sequence has `total`; all or none.
    private mutating func grow(_ index: Int, to total: Int) -> Bool {
        let missing = total - slots[index].room / settings.blockSize
        guard missing > 0 else { return true }
        guard missing <= pool.freeCount else { return false }
        pool.allocate(missing)
        slots[index].room = total * settings.blockSize
        return true
    }

    // MARK: - Preemption

    /// Under first-come-first-served the last admitted goes; under priority the least urgent, the latest among equals.
    private func victimPosition() -> Int {
        guard settings.policy == .priority else { return running.count - 1 }
        var worst = 0
        for position in running.indices.dropFirst() {
            let candidate = slots[Int(running[position])]
            let incumbent = slots[Int(running[worst])]
            if (candidate.priority, candidate.arrival) > (incumbent.priority, incumbent.arrival) { worst = position }
        }
        return worst
    }

    /// Frees its blocks, which stay findable, and puts it to the front of the queue to be computed again.
    private mutating func preempt(at position: Int) {
        let index = running.remove(at: position)
        // A sequence that comes back looks for its own blocks too: those of an outline get their hashes here.
        if !settings.generatesContent { publish(Int(index), upTo: .max) }
        releaseBlocks(of: Int(index))
        slots[Int(index)].computed = 0
        slots[Int(index)].scheduled = 0
        slots[Int(index)].phase = .waiting
        slots[Int(index)].wasPreempted = true
        counters.preempted += 1
        waiting.insert(entry(of: index, id: SequenceID(slot: index, generation: slots[Int(index)].generation)))
    }

    // MARK: - The step's content and end

    private func measureLoad() -> StepLoad {
        var load = StepLoad()
        slots.withUnsafeBufferPointer { slots in
            for index in running {
                let tokens = slots[Int(index)].scheduled
                let length = slots[Int(index)].length
                if tokens == 1, slots[Int(index)].computed == length, length > slots[Int(index)].promptTokens {
                    load.addDecode(context: length)
                } else if tokens > 0 {
                    load.addPrefill(tokens: tokens, contextBefore: slots[Int(index)].computed - tokens)
                }
            }
        }
        return load
    }

    /// Applies the step to one running sequence. Returns false when the sequence is over.
    private mutating func finishStep(of index: Int32, emissions: inout ContiguousArray<Emission>) -> Bool {
        let position = Int(index)
        if slots[position].phase == .leaving { return false }
        guard slots[position].scheduled > 0 else { return true }
        slots[position].scheduled = 0
        guard slots[position].computed == slots[position].length else { return true }
        if slots[position].isPrefilling {
            slots[position].isPrefilling = false
            tokensInPrefill -= slots[position].promptTokens
            counters.promptTokens += slots[position].promptTokens
        }
        var emission = Emission(
            sequence: SequenceID(slot: index, generation: slots[position].generation), token: Token.none,
            outputTokens: 0, cachedTokens: Int32(truncatingIfNeeded: slots[position].cachedTokens), finish: .length)
        if slots[position].maximumTokens > 0 {
            if settings.generatesContent {
                emission.token = slots[position].generate(from: source, blockSize: settings.blockSize)
                emission.finish = slots[position].finishReason(after: emission.token)
            } else {
                slots[position].length += 1
                emission.finish = slots[position].outputTokens >= slots[position].maximumTokens ? .length : nil
            }
            emission.outputTokens = Int32(truncatingIfNeeded: slots[position].outputTokens)
            counters.generatedTokens += 1
        }
        let isMilestone = emission.outputTokens <= 1 || emission.finish != nil
        if settings.generatesContent || isMilestone { emissions.append(emission) }
        switch emission.finish {
        case nil: return true
        case .stop: counters.finishedStop += 1
        case .length: counters.finishedLength += 1
        }
        return false
    }
}

extension SequenceSlot {
    /// Appends the next token to the context and returns it.
    mutating func generate(from source: TokenSource, blockSize: Int) -> Int32 {
        let mayEnd = !ignoresEnd && outputTokens >= minimumTokens
        let draw = dependsOnPosition ? sampling &+ UInt64(outputTokens) &* 0x9e37_79b9_7f4a_7c15 : sampling
        let token = source.next(after: chain, sampling: draw, mayEnd: mayEnd)
        chain.append(token)
        length += 1
        if length % blockSize == 0 { outputHashes.append(chain.blockHash(salt: salt)) }
        return token
    }

    /// Whether the sequence ends with this token, which is its newest.
    func finishReason(after token: Int32) -> FinishReason? {
        if token == Token.endOfSequence { return .stop }
        if outputTokens >= minimumTokens, stopTokens.contains(token) { return .stop }
        return outputTokens >= maximumTokens ? .length : nil
    }
}
