import FleetTracking
import Testing

@Suite struct EndpointTests {
    static let start = Instant.zero + .seconds(100)

    static func fleet(sequences: Int? = nil, kvTokens: Int? = nil) -> Fleet {
        var fleet = Fleet(settings: [FleetSettings()], maximumEndpoints: 10)
        _ = fleet.add(
            EndpointDescription(
                id: EndpointID(0), pool: PoolID(0), maximumSequences: sequences, kvTokens: kvTokens,
                models: [ModelID(0)]))
        return fleet
    }

    static func demand(_ tokens: Int, band: Band = .realtime) -> WorkDemand {
        WorkDemand(band: band, sequences: 1, promptTokens: tokens, expectedOutputTokens: 50)
    }

    static func sample(_ running: Int, waiting: Int = 0, at instant: Instant) -> EngineSample {
        var sample = EngineSample(takenAt: instant)
        sample.running = running
        sample.waiting = waiting
        return sample
    }

    @Test func `foreign load is the sample less our own at the sample's time`() {
        var fleet = Self.fleet()
        var seen = fleet[EndpointID(0)]
        for _ in 0..<3 { _ = fleet.dispatch(Self.demand(10), uncachedTokens: 10, to: EndpointID(0), at: Self.start) }
        // Five more of ours leave between the scrape and its answer; they are not foreign, and the three were.
        let taken = Self.start + .milliseconds(100)
        let later = Self.start + .milliseconds(200)
        for _ in 0..<5 { _ = fleet.dispatch(Self.demand(10), uncachedTokens: 10, to: EndpointID(0), at: later) }
        _ = fleet.observe(Self.sample(7, waiting: 2, at: taken), of: EndpointID(0), at: later)
        seen = fleet[EndpointID(0)]
        #expect(seen?.foreign.sequences == 6)
        // A later sample that shows less than ours says that nobody else is there.
        let next = later + .milliseconds(100)
        _ = fleet.observe(Self.sample(2, at: next), of: EndpointID(0), at: next)
        seen = fleet[EndpointID(0)]
        #expect(seen?.foreign.sequences == 0)
        // One that was taken earlier but came later changes nothing.
        _ = fleet.observe(Self.sample(50, at: taken), of: EndpointID(0), at: next)
        seen = fleet[EndpointID(0)]
        #expect(seen?.foreign.sequences == 0)
    }

    @Test func `foreign KV is the sample's less what our works hold`() {
        var fleet = Self.fleet()
        var seen = fleet[EndpointID(0)]
        let demand = Self.demand(1000)
        let ticket = fleet.dispatch(demand, uncachedTokens: 1000, to: EndpointID(0), at: Self.start)
        let (hasMore, _) = fleet.answered(ticket, .realtime, on: EndpointID(0))
        #expect(!hasMore)
        fleet.produced(200, on: EndpointID(0))
        var sample = Self.sample(1, at: Self.start + .seconds(1))
        sample.blocks = 500
        sample.blockSize = 16
        sample.kvUse = 0.5
        _ = fleet.observe(sample, of: EndpointID(0), at: Self.start + .seconds(1))
        seen = fleet[EndpointID(0)]
        #expect(seen?.kvTokens == 8000)
        seen = fleet[EndpointID(0)]
        #expect(seen?.prefix.capacityTokens == 8000)
        let foreign = fleet[EndpointID(0)]?.foreign.kvTokens ?? 0
        #expect(foreign == 2800 || foreign == 3000, "output of the same instant may count or not: \(foreign)")
        fleet.release(
            Departure(demand: demand, producedTokens: 200, ticket: ticket, wasAnswered: true), from: EndpointID(0),
            at: Self.start + .seconds(1))
        seen = fleet[EndpointID(0)]
        #expect(seen?.residentTokens == 0)
    }

    @Test func `stale foreign load fades for real-time and never for async`() {
        var fleet = Self.fleet()
        _ = fleet.observe(Self.sample(100, at: Self.start), of: EndpointID(0), at: Self.start)
        guard let endpoint = fleet[EndpointID(0)] else { return }
        let ages: [(Int64, Int)] = [(0, 100), (3, 100), (13, 50), (23, 25), (1000, 0)]
        for (age, expected) in ages {
            #expect(endpoint.foreignSequences(for: .realtime, at: Self.start + .seconds(age)) == expected)
            #expect(endpoint.foreignSequences(for: .async, at: Self.start + .seconds(age)) == 100)
        }
        #expect(!endpoint.isStale(at: Self.start + .seconds(3)))
        #expect(endpoint.isStale(at: Self.start + .seconds(4)))
    }

    @Test func `the prefill queue drains by first bytes, by time and by departures`() {
        var queue = PrefillQueue()
        let tickets = [100, 200, 300].map { queue.add(tokens: $0, band: .async, now: Self.start) }
        #expect(queue.pending == 600)
        queue.complete(tickets[0])
        #expect(queue.pending == 500)
        queue.advance(to: Self.start + .milliseconds(100), rate: 1000)
        #expect(queue.pending == 400)
        queue.withdraw(tickets[1])
        #expect(queue.pending(.async) == 300)
        queue.withdraw(tickets[1])
        queue.complete(tickets[0])
        #expect(queue.pending == 300, "once")
        let ticket = queue.add(tokens: 50, band: .realtime, now: Self.start + .milliseconds(100))
        #expect(queue.pending(.realtime) == 50)
        queue.complete(ticket)
        #expect(queue.pending == 0, "what was sent before is prefilled too")
        queue.advance(to: Self.start + .seconds(100), rate: 1000)
        #expect(queue.pending == 0)
    }

    @Test func `an engine of unknown size gets more jobs as it shows them running`() {
        var fleet = Self.fleet()
        var now = Self.start
        /// Fills the endpoint with jobs after a sample; how many it then holds.
        func fill(afterRunning running: Int, waiting: Int = 0) -> Int {
            now = now + .seconds(1)
            _ = fleet.observe(Self.sample(running, waiting: waiting, at: now), of: EndpointID(0), at: now)
            let demand = Self.demand(1, band: .async)
            while fleet[EndpointID(0)]?.hasRoom(for: demand, at: now) == true {
                _ = fleet.dispatch(demand, uncachedTokens: 1, to: EndpointID(0), at: now)
            }
            return fleet[EndpointID(0)]?.ownSequences ?? -1
        }
        #expect(fill(afterRunning: 0) == 6, "eight less the reserve")
        #expect(fill(afterRunning: 6) == 10)
        #expect(fill(afterRunning: 10) == 17)
        // It runs no more than it did: it holds back, and a limit is not yet learned.
        #expect(fill(afterRunning: 10, waiting: 7) == 17)
        for running in [17, 28, 47, 79, 134] { _ = fill(afterRunning: running) }
        #expect(fill(afterRunning: 217) == 217, "all that was assumed, less the reserve")
    }

    @Test func `a configured size is given jobs at once, and an unknown one real-time requests`() {
        var fleet = Self.fleet(sequences: 100)
        _ = fleet.observe(Self.sample(0, at: Self.start), of: EndpointID(0), at: Self.start)
        var jobs = 0
        while fleet[EndpointID(0)]?.hasRoom(for: Self.demand(1, band: .async), at: Self.start) == true {
            _ = fleet.dispatch(Self.demand(1, band: .async), uncachedTokens: 1, to: EndpointID(0), at: Self.start)
            jobs += 1
        }
        #expect(jobs == 85)
        var unknown = Self.fleet()
        for _ in 0..<256 {
            #expect(unknown[EndpointID(0)]?.hasRoom(for: Self.demand(1), at: Self.start) == true)
            _ = unknown.dispatch(Self.demand(1), uncachedTokens: 1, to: EndpointID(0), at: Self.start)
        }
        #expect(unknown[EndpointID(0)]?.hasRoom(for: Self.demand(1), at: Self.start) == false)
    }

    @Test func `a sequence limit is learned from waiting work and unlearned without it`() {
        var capacity = SequenceCapacity(configured: nil, settings: CapacitySettings())
        var now = Self.start
        func observe(_ running: Int, _ waiting: Int, kvUse: Double = 0, isPrefillBound: Bool = false) {
            now = now + .seconds(1)
            capacity.observe(
                SequenceCapacity.Counts(
                    running: running, waiting: waiting, kvUse: kvUse, isPrefillBound: isPrefillBound),
                at: now)
        }
        #expect(capacity.sequences == 256)
        for _ in 0..<2 { observe(64, 5) }
        observe(64, 0)
        for running in [10, 30, 50] { observe(running, 5) }
        for _ in 0..<5 { observe(40, 5, kvUse: 0.95) }
        for _ in 0..<5 { observe(40, 5, isPrefillBound: true) }
        #expect(capacity.sequences == 256, "none of these shows a limit")
        for _ in 0..<3 { observe(64, 5) }
        #expect(capacity.sequences == 64)
        for _ in 0..<3 { observe(63, 1) }
        #expect(capacity.sequences == 64 || capacity.sequences == 63)
        let learned = capacity.sequences
        observe(10, 0)
        #expect(capacity.sequences > learned)
        #expect(capacity.sequences < 80)
        for _ in 0..<100 { observe(10, 0) }
        #expect(capacity.sequences == 256)
    }

    @Test func `a restarted engine holds no prefix`() {
        var fleet = Self.fleet()
        var seen = fleet[EndpointID(0)]
        let chain = PrefixIndexTests.chain([1, 2, 3])
        fleet.remember(chain, on: EndpointID(0))
        var sample = Self.sample(0, at: Self.start)
        sample.prefixQueries = 1000
        _ = fleet.observe(sample, of: EndpointID(0), at: Self.start)
        seen = fleet[EndpointID(0)]
        #expect(seen?.prefix.matchedBlocks(chain) == 3)
        sample.takenAt = Self.start + .seconds(1)
        sample.prefixQueries = 10
        _ = fleet.observe(sample, of: EndpointID(0), at: Self.start + .seconds(1))
        seen = fleet[EndpointID(0)]
        #expect(seen?.prefix.matchedBlocks(chain) == 0)
    }

    @Test func `a long streamed prefill teaches the rate`() {
        var fleet = Self.fleet()
        var seen = fleet[EndpointID(0)]
        fleet.measuredPrefill(tokens: 100, took: .seconds(1), on: EndpointID(0))
        seen = fleet[EndpointID(0)]
        #expect(seen?.prefillRate == 8000, "too short to tell")
        fleet.measuredPrefill(tokens: 4000, took: .milliseconds(200), on: EndpointID(0))
        seen = fleet[EndpointID(0)]
        #expect(seen?.prefillRate == 20_000)
        fleet.measuredPrefill(tokens: 1000, took: .milliseconds(100), on: EndpointID(0))
        seen = fleet[EndpointID(0)]
        #expect(seen?.prefillRate == 18_000)
    }

    @Test func `the common prefix is what most prompts share`() {
        var common = CommonPrefix()
        var blocks = 0
        for prompt in 0..<200 { blocks = common.observe(PrefixIndexTests.chain([0, 0, 0, prompt, prompt])) }
        #expect(blocks == 3)
        // Another template takes over.
        for prompt in 0..<2000 { blocks = common.observe(PrefixIndexTests.chain([5, 5, prompt + 1000])) }
        #expect(blocks == 2)
        for prompt in 0..<3000 { blocks = common.observe(PrefixIndexTests.chain([prompt % 4, 1, prompt])) }
        #expect(blocks == 0, "a quarter each is not most")
    }
}
