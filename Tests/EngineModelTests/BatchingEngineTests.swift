import EngineModel
import Testing

struct BatchingEngineTests {
    @Test func aStepNeverComputesMoreThanItsBudget() throws {
        var driver = EngineDriver {
            $0.batchTokens = 512
            $0.maximumSequences = 8
        }
        for salt in 0..<20 { _ = try driver.submit(prompt(700, salt: Int32(salt)), maximumTokens: 5) }
        driver.drain()
        #expect(driver.plans.allSatisfy { $0.load.prefillTokens + $0.load.decodes <= 512 })
        #expect(
            driver.plans.contains { $0.load.prefillTokens > 0 && $0.load.decodes > 0 },
            "chunks share steps with decodes")
        #expect(driver.engine.counters.maximumRunning <= 8)
        #expect(driver.finished.count == 20)
        #expect(driver.tokens.values.allSatisfy { $0.count == 5 })
    }

    @Test func decodesComeBeforePrefills() throws {
        var driver = EngineDriver { $0.batchTokens = 64 }
        let first = try driver.submit(prompt(32), maximumTokens: 50)
        driver.step()
        _ = try driver.submit(prompt(1000, salt: 3), maximumTokens: 2)
        for _ in 0..<5 {
            let plan = try driver.mustStep()
            #expect(plan.load.decodes == 1 && plan.load.prefillTokens == 63)
        }
        #expect(driver.tokens[first]?.count == 6, "a long prompt delays a running answer but never stops it")
    }

    @Test func aPrefixHitIsWholeBlocksAndNeverTheWholePrompt() throws {
        var driver = EngineDriver()
        func cached(_ count: Int, _ driver: inout EngineDriver) throws -> Int? {
            let id = try driver.submit(prompt(count), maximumTokens: 1)
            driver.drain()
            return driver.cached[id]
        }
        #expect(try cached(160, &driver) == 0)
        #expect(try cached(160, &driver) == 144, "floor(159 / 16) * 16")
        #expect(try cached(161, &driver) == 160)
        #expect(try cached(15, &driver) == 0)
        #expect(try cached(40, &driver) == 32)
        #expect(driver.engine.counters.prefixQueries == 160 + 160 + 161 + 15 + 40)
        #expect(driver.engine.counters.prefixHits == 144 + 160 + 32)
        driver.engine.resetPrefixCache()
        #expect(try cached(160, &driver) == 0)
    }

    @Test func answersAreCachedForTheNextTurn() throws {
        var driver = EngineDriver()
        let first = try driver.submit(prompt(32), maximumTokens: 40)
        driver.drain()
        let answer = try #require(driver.tokens[first])
        let second = try driver.submit(prompt(32) + answer + prompt(8, salt: 9), maximumTokens: 1)
        driver.drain()
        // 71 tokens were computed: the last generated one never was, so four blocks are full.
        #expect(driver.cached[second] == 64)
    }

    @Test func saltsAndAdaptersShareNoBlocksButSaltsShareAnswers() throws {
        var driver = EngineDriver()
        let plain = try driver.submit(prompt(64), maximumTokens: 8)
        driver.drain()
        let salted = try driver.submit(prompt(64), maximumTokens: 8) {
            $0.prompt = PromptDigest(prompt(64), seed: 1, salt: 5)
        }
        let adapted = try driver.submit(prompt(64), maximumTokens: 8) { $0.prompt = PromptDigest(prompt(64), seed: 2) }
        driver.drain()
        #expect(driver.cached[salted] == 0)
        #expect(driver.cached[adapted] == 0)
        #expect(driver.tokens[salted] == driver.tokens[plain])
        #expect(driver.tokens[adapted] != driver.tokens[plain])
    }

    @Test func theTailOfAContextIsEvictedFirst() throws {
        // 20 blocks: a context of 10, then one of 16 that takes the 10 free ones and 6 of the old.
        var driver = EngineDriver {
            $0.kvTokens = 320
            $0.maximumModelLength = 320
        }
        _ = try driver.submit(prompt(160), maximumTokens: 1)
        driver.drain()
        _ = try driver.submit(prompt(256, salt: 4), maximumTokens: 1)
        driver.drain()
        let again = try driver.submit(prompt(160), maximumTokens: 1)
        driver.drain()
        #expect(driver.cached[again] == 64, "four leading blocks of ten are left")
    }

    @Test func whenBlocksRunOutTheLastAdmittedIsComputedAgain() throws {
        var driver = EngineDriver {
            $0.kvTokens = 640
            $0.maximumModelLength = 640
        }
        let first = try driver.submit(prompt(300), maximumTokens: 100)
        let second = try driver.submit(prompt(300, salt: 1), maximumTokens: 100)
        driver.drain()
        #expect(driver.engine.counters.preempted > 0)
        #expect(driver.finished == [first, second])
        var alone = EngineDriver()
        let same = try alone.submit(prompt(300, salt: 1), maximumTokens: 100)
        alone.drain()
        #expect(driver.tokens[second] == alone.tokens[same], "recomputing changes no token")
        #expect(driver.engine.gauges.freeBlocks == 40)
    }

    @Test func underPriorityTheLeastUrgentIsPreempted() throws {
        var driver = EngineDriver {
            $0.kvTokens = 640
            $0.maximumModelLength = 640
            $0.policy = .priority
        }
        let background = try driver.submit(prompt(300), maximumTokens: 100) { $0.priority = 10 }
        driver.step()
        let urgent = try driver.submit(prompt(300, salt: 1), maximumTokens: 100) { $0.priority = -1 }
        driver.drain()
        #expect(driver.engine.counters.preempted > 0)
        #expect(driver.finished == [urgent, background])
    }

    @Test func priorityOrdersTheQueueAndTiesGoByArrival() throws {
        var driver = EngineDriver {
            $0.policy = .priority
            $0.maximumSequences = 1
        }
        var ids: [SequenceID] = []
        for (salt, priority) in [5, 0, 0, -3, 5].enumerated() {
            ids.append(
                try driver.submit(prompt(20, salt: Int32(salt)), maximumTokens: 2) { $0.priority = priority })
        }
        driver.drain()
        #expect(driver.finished == [ids[3], ids[1], ids[2], ids[0], ids[4]])
        var plain = EngineDriver { $0.maximumSequences = 1 }
        let first = try plain.submit(prompt(20), maximumTokens: 2) { $0.priority = 9 }
        let second = try plain.submit(prompt(20, salt: 1), maximumTokens: 2)
        plain.drain()
        #expect(plain.finished == [first, second], "without the policy priority counts for nothing")
    }

    @Test func anAbortFreesBlocksAndLeavesThePrefix() throws {
        var driver = EngineDriver()
        let all = driver.engine.gauges.freeBlocks
        let id = try driver.submit(prompt(500), maximumTokens: 1000)
        let waiting = try driver.submit(prompt(500, salt: 1), maximumTokens: 1000)
        driver.engine.abort(waiting)
        #expect(driver.engine.gauges.waiting == 1)
        for _ in 0..<10 { driver.step() }
        #expect(driver.engine.gauges.freeBlocks < all)
        // In the middle of a step it leaves at the step's end, and its token is not given out.
        _ = driver.engine.beginStep()
        driver.engine.abort(id)
        #expect(driver.engine.gauges.running == 1)
        driver.engine.endStep(into: &driver.report)
        #expect(driver.report.emissions.isEmpty)
        #expect(driver.engine.gauges.running == 0)
        #expect(driver.engine.gauges.freeBlocks == all)
        #expect(driver.engine.counters.aborted == 2)
        driver.engine.abort(id)
        #expect(driver.engine.counters.aborted == 2, "a stale id is ignored")
        let again = try driver.submit(prompt(500), maximumTokens: 1)
        driver.drain()
        #expect(driver.cached[again] == 496)
    }

    @Test func thousandsOfAbortedWaitersLeaveTheQueueInOrder() throws {
        var driver = EngineDriver { $0.maximumSequences = 1 }
        var kept: [SequenceID] = []
        for number in 0..<3000 {
            let id = try driver.submit(prompt(4, salt: Int32(number)), maximumTokens: 1)
            if number % 100 == 7 { kept.append(id) } else { driver.engine.abort(id) }
        }
        #expect(driver.engine.gauges.waiting == kept.count)
        driver.drain()
        #expect(driver.finished == kept)
        #expect(driver.engine.gauges.tokensInPrefill == 0)
    }

    @Test func admissionLimitsRefuse() throws {
        var driver = EngineDriver {
            $0.maximumQueuedSequences = 2
            $0.maximumSequences = 1
        }
        _ = try driver.submit(prompt(10), maximumTokens: 3)
        _ = try driver.submit(prompt(10), maximumTokens: 3)
        let third = SequenceRequest(prompt: PromptDigest(prompt(10), seed: 1), maximumTokens: 3)
        #expect(driver.engine.submit(third) == .refused(.tooManySequences(limit: 2)))
        driver.drain()
        #expect(driver.engine.counters.refusedSequences == 1)
        var tokens = EngineDriver { $0.maximumQueuedTokens = 100 }
        _ = try tokens.submit(prompt(60), maximumTokens: 3)
        let big = SequenceRequest(prompt: PromptDigest(prompt(60), seed: 1), maximumTokens: 3)
        #expect(tokens.engine.submit(big) == .refused(.tooManyPromptTokens(limit: 100)))
        tokens.step()
        _ = try tokens.submit(prompt(60), maximumTokens: 3)  // A finished prefill does not count.
        let long = SequenceRequest(prompt: PromptDigest(prompt(131_072), seed: 1), maximumTokens: 3)
        #expect(tokens.engine.submit(long) == .refused(.promptTooLong(tokens: 131_072, limit: 131_072)))
        let empty = SequenceRequest(prompt: PromptDigest([], seed: 1), maximumTokens: 3)
        #expect(tokens.engine.submit(empty) == .refused(.emptyPrompt))
    }

    @Test func settingsSayWhatIsWrong() {
        var settings = EngineSettings(profile: .standard)
        settings.kvTokens = 1000
        #expect(settings.problem?.contains("cannot hold one sequence") == true)
        settings = EngineSettings(profile: .standard)
        settings.maximumSequences = 0
        #expect(settings.problem?.contains("found 0") == true)
    }

    @Test func aSequenceWithoutAnswerEndsWithItsPrefill() throws {
        var driver = EngineDriver()
        let id = try driver.submit(prompt(100), maximumTokens: 0)
        driver.drain()
        #expect(driver.plans.count == 1)
        #expect(driver.tokens[id] == nil)
        #expect(driver.finishes[id] == .length)
    }

    /// Random calls; the books must balance whatever happens.
    @Test(arguments: 0..<4) func randomCallsKeepTheBooks(seed: UInt64) {
        var word = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func random(_ bound: Int) -> Int {
            word ^= word << 13
            word ^= word >> 7
            word ^= word << 17
            return Int(word % UInt64(bound))
        }
        var driver = EngineDriver {
            $0.kvTokens = 4096
            $0.maximumModelLength = 1024
            $0.batchTokens = 256
            $0.maximumSequences = 12
            $0.policy = seed % 2 == 0 ? .priority : .firstComeFirstServed
        }
        var live: [SequenceID] = []
        for _ in 0..<1500 {
            switch random(10) {
            case 0, 1:
                let tokens = prompt(1 + random(900), salt: Int32(random(5)))
                let id = try? driver.submit(tokens, maximumTokens: random(120)) {
                    $0.priority = random(3)
                    $0.ignoresEnd = random(2) == 0
                }
                if let id { live.append(id) }
            case 2:
                if let id = live.randomElementAt(random) { driver.engine.abort(id) }
            case 3:
                if driver.engine.beginStep() != nil {
                    if let id = live.randomElementAt(random) { driver.engine.finish(id) }
                    driver.engine.endStep(into: &driver.report)
                }
            default: driver.step()
            }
            let gauges = driver.engine.gauges
            #expect(gauges.running <= 12 && gauges.freeBlocks >= 0 && gauges.tokensInPrefill >= 0)
        }
        driver.drain()
        let counters = driver.engine.counters
        #expect(driver.engine.isIdle)
        #expect(driver.engine.gauges.freeBlocks == 256)
        #expect(driver.engine.gauges.tokensInPrefill == 0)
        #expect(counters.submitted == counters.aborted + counters.finishedStop + counters.finishedLength)
        #expect(counters.preempted > 0)
    }
}

extension Array {
    fileprivate func randomElementAt(_ random: (Int) -> Int) -> Element? { isEmpty ? nil : self[random(count)] }
}
