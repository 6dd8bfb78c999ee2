import FleetTracking
import Testing

/// Two endpoints of one type, without the rest of the scheduler.
struct ForecastBench: ~Copyable {
    var fleet = Fleet(settings: [FleetSettings()], maximumEndpoints: 8)
    var now = Instant.zero + .seconds(100)

    init() {
        for index in 0..<2 {
            _ = fleet.add(
                EndpointDescription(
                    id: EndpointID(index), pool: PoolID(0), batchTokens: 2048, kvTokens: 400_000, models: [ModelID(0)]))
        }
    }

    mutating func forecast(_ prompt: Int, matched: Int = 0) -> LatencyForecast {
        fleet.forecast(ForecastQuery(promptTokens: prompt, matchedTokens: matched), on: 0, at: now)
    }
}

@Suite struct ForecastTests {
    static func demand(_ prompt: Int, isStream: Bool = true) -> WorkDemand {
        var demand = WorkDemand(band: .realtime, sequences: 1, promptTokens: prompt, expectedOutputTokens: 100)
        demand.isStream = isStream
        return demand
    }

    @Test func `an idle endpoint takes the overhead and the prefill`() {
        var bench = ForecastBench()
        let forecast = bench.forecast(1000)
        let step = 2.5 + 0.07 * 1000 + 3e-6 * 500_000 + 0.0044
        #expect(abs(forecast.firstToken - (5 + step)) < 1e-6)
        #expect(abs(forecast.interToken - (12 + 0.12 + 0.0044)) < 1e-6)
        #expect(forecast.residents == 0)
        #expect(forecast.isTrusted)
    }

    @Test func `a held prefix saves its prefill, and one token is always computed`() {
        var bench = ForecastBench()
        let whole = bench.forecast(1000).firstToken
        let half = bench.forecast(1000, matched: 500).firstToken
        #expect(whole - half > 34)
        #expect(bench.forecast(1000, matched: 5000) == bench.forecast(1000, matched: 999))
    }

    @Test func `what was sent before is waited for until it leaves or answers`() {
        var bench = ForecastBench()
        let idle = bench.forecast(1000).firstToken
        let demand = Self.demand(3000)
        let first = bench.fleet.dispatch(demand, uncachedTokens: 3000, to: EndpointID(0), at: bench.now)
        #expect(bench.forecast(1000).firstToken > idle + 200)
        let second = bench.fleet.dispatch(demand, uncachedTokens: 3000, to: EndpointID(0), at: bench.now)
        #expect(bench.forecast(1000).firstToken > idle + 400)
        // One is cancelled.
        let gone = Departure(demand: demand, producedTokens: 0, ticket: second, wasAnswered: false)
        bench.fleet.release(gone, from: EndpointID(0), at: bench.now)
        #expect(bench.forecast(1000).firstToken < idle + 300)
        bench.now = bench.now + .milliseconds(230)
        bench.fleet.began(
            FirstToken(ticket: first, predicted: nil, took: 230), on: EndpointID(0), at: bench.now)
        #expect(bench.fleet.latency.paces[0].load.pendingTokens == 0)
        #expect(bench.fleet.latency.paces[0].load.decodes == 1)
        let left = Departure(demand: demand, producedTokens: 0, ticket: first, wasAnswered: true)
        bench.fleet.release(left, from: EndpointID(0), at: bench.now)
        #expect(bench.fleet.latency.paces[0].load == EndpointPace.Load())
        // The step that ran goes on to its end.
        bench.now = bench.now + .milliseconds(30)
        #expect(abs(bench.forecast(1000).firstToken - idle) < 1e-6)
    }

    @Test func `prompts of answers that are not streamed are taken as prefilled when they should be`() {
        var bench = ForecastBench()
        let demand = Self.demand(1000, isStream: false)
        let ticket = bench.fleet.dispatch(demand, uncachedTokens: 1000, to: EndpointID(0), at: bench.now)
        bench.now = bench.now + .seconds(1)
        #expect(bench.forecast(10).residents == 1)
        #expect(bench.fleet.latency.paces[0].load.pendingTokens == 0)
        let left = Departure(demand: demand, producedTokens: 0, ticket: ticket, wasAnswered: true)
        bench.fleet.release(left, from: EndpointID(0), at: bench.now)
        #expect(bench.fleet.latency.paces[0].load == EndpointPace.Load())
    }

    @Test func `tokens seen set the step loop right`() {
        var bench = ForecastBench()
        let demand = Self.demand(100)
        let ticket = bench.fleet.dispatch(demand, uncachedTokens: 100, to: EndpointID(0), at: bench.now)
        bench.now = bench.now + .milliseconds(20)
        bench.fleet.began(
            FirstToken(ticket: ticket, predicted: nil, took: 20), on: EndpointID(0), at: bench.now)
        let late = bench.forecast(100).firstToken
        bench.now = bench.now + .milliseconds(9)
        // 3 ms of the step are left, the prompt is in the queue after 5: one more step passes.
        let early = bench.forecast(100).firstToken
        #expect(abs(early - (late - 9)) > 10, "\(late) \(early)")
        bench.fleet.paced(ticket, tokens: 1, last: bench.now, on: EndpointID(0), at: bench.now)
        #expect(abs(bench.forecast(100).firstToken - late) < 0.1)
    }

    /// The client of a stream took nothing for a second at a time.
    @Test func `no pace is learned over tokens of which it is not known when they came`() {
        var bench = ForecastBench()
        let ticket = bench.fleet.dispatch(Self.demand(100), uncachedTokens: 100, to: EndpointID(0), at: bench.now)
        bench.now = bench.now + .milliseconds(20)
        bench.fleet.began(FirstToken(ticket: ticket, predicted: nil, took: 20), on: EndpointID(0), at: bench.now)
        let before = bench.forecast(100).interToken
        for _ in 0..<100 {
            bench.fleet.paced(ticket, tokens: 1, last: bench.now, on: EndpointID(0), at: bench.now)
            bench.fleet.paced(ticket, tokens: 1, last: nil, on: EndpointID(0), at: bench.now)
            bench.now = bench.now + .seconds(1)
        }
        let after = bench.forecast(100).interToken
        #expect((0.9...1.1).contains(after / before), "\(before) and then \(after)")
    }

    @Test func `an endpoint where only others are is forecast too`() {
        var bench = ForecastBench()
        let idle = bench.forecast(1000)
        var sample = EngineSample(takenAt: bench.now)
        (sample.running, sample.waiting, sample.kvUse) = (60, 0, 0.5)
        _ = bench.fleet.observe(sample, of: EndpointID(0), at: bench.now)
        let busy = bench.forecast(1000)
        #expect(busy.firstToken > idle.firstToken)
        #expect(busy.residents == 60)
        bench.now = bench.now + .seconds(30)
        #expect(bench.forecast(1000) == idle, "an old sample is forgotten")
    }

    @Test func `no report makes a forecast that is no number`() {
        var bench = ForecastBench()
        var generator = SeededGenerator(seed: 4)
        var tickets: [(Int, WorkDemand)] = []
        for _ in 0..<5000 {
            bench.now = bench.now + .microseconds(generator.below(40_000))
            let prompt = [0, 1, 700, 1 << 26][generator.below(4)]
            let odd = tickets.isEmpty ? 0 : tickets[generator.below(tickets.count)].0
            switch generator.below(5) {
            case 0:
                let demand = Self.demand(prompt, isStream: generator.below(3) > 0)
                tickets.append(
                    (bench.fleet.dispatch(demand, uncachedTokens: prompt, to: EndpointID(0), at: bench.now), demand))
            case 1:
                bench.fleet.began(
                    FirstToken(
                        ticket: odd, predicted: generator.unit() * 1e9 - 10, took: Double(generator.below(9)) / 1e6),
                    on: EndpointID(0), at: bench.now)
            case 2:
                let last = bench.now - .milliseconds(generator.below(100) - 20)
                bench.fleet.paced(odd, tokens: generator.below(1 << 20), last: last, on: EndpointID(0), at: bench.now)
            case 3 where !tickets.isEmpty:
                let (ticket, demand) = tickets.remove(at: generator.below(tickets.count))
                bench.fleet.release(
                    Departure(demand: demand, producedTokens: 0, ticket: ticket, wasAnswered: generator.below(2) == 0),
                    from: EndpointID(0), at: bench.now)
            default:
                let forecast = bench.forecast(prompt, matched: generator.below(1 << 27))
                #expect(forecast.firstToken.isFinite && forecast.firstToken >= 0)
                #expect(forecast.interToken.isFinite && forecast.interToken > 0)
            }
        }
    }
}

@Suite struct OutputLengthTests {
    @Test func `a flow has its own length, a new one that of its model`() {
        var lengths = OutputLengths()
        #expect(lengths.expected(model: ModelID(0), tenant: TenantID(1)) == nil)
        for _ in 0..<50 {
            lengths.learn(100, model: ModelID(0), tenant: TenantID(1))
            lengths.learn(900, model: ModelID(0), tenant: TenantID(2))
        }
        #expect(lengths.expected(model: ModelID(0), tenant: TenantID(1)) == 100)
        #expect(lengths.expected(model: ModelID(0), tenant: TenantID(2)) == 900)
        #expect((400...600).contains(lengths.expected(model: ModelID(0), tenant: TenantID(3)) ?? 0))
        #expect(lengths.expected(model: ModelID(1), tenant: TenantID(1)) == nil)
    }

    @Test func `a flood of tenants pushes out no flow that is in use`() {
        var lengths = OutputLengths()
        for _ in 0..<20 { lengths.learn(77, model: ModelID(0), tenant: TenantID(-5)) }
        var lost = 0
        for tenant in 0..<200_000 {
            if tenant % 50 == 0 {
                lengths.learn(77, model: ModelID(0), tenant: TenantID(-5))
                if lengths.expected(model: ModelID(0), tenant: TenantID(-5)) != 77 { lost += 1 }
            }
            lengths.learn(5000, model: ModelID(0), tenant: TenantID(tenant))
        }
        #expect(lost == 0)
    }
}
