import FleetTracking
import FlowControl
import Scheduling
import Testing

@Suite struct AsyncTests {
    @Test func `async takes what the reserve leaves and no more`() {
        var desk = Desk(endpoints: 1, sequences: 20)
        var granted = 0
        for _ in 0..<30 { granted += desk.job(prompt: 1).effects.forwards.count }
        #expect(granted == 17)
        #expect(desk.pool.async.waiting == 13)
        for _ in 0..<3 { #expect(desk.request().effects.forwards.count == 1) }
    }

    @Test func `a place that is freed is used in the same event`() {
        var desk = Desk(endpoints: 1, sequences: 4)
        let jobs = (0..<6).map { _ in desk.job() }
        #expect(desk.pool.async.inFlight == 3)
        #expect(desk.finish(jobs[0].work).deeds == [.forward(jobs[3].work, EndpointID(0))])
    }

    @Test func `nothing async is granted while real-time waits`() {
        var desk = Desk(endpoints: 1, sequences: 4)
        let running = (0..<4).map { _ in desk.request().work }
        let (waiting, _) = desk.request()
        let (job, effects) = desk.job()
        #expect(effects.deeds.isEmpty)
        #expect(desk.finish(running[0]).deeds == [.forward(waiting, EndpointID(0))])
        #expect(desk.finish(running[1]).deeds.isEmpty, "three run: the reserve")
        #expect(desk.finish(running[2]).deeds == [.forward(job, EndpointID(0))])
    }

    @Test func `jobs go by deadline then by arrival`() {
        var desk = Desk(endpoints: 1, sequences: 1)
        let running = desk.request().work
        var arrivals = (0..<4).map { _ in desk.makeArrival(.async) }
        for (index, hours) in [3, 1, 2, 1].enumerated() {
            arrivals[index].deadline = desk.now + .seconds(3600 * hours)
            _ = desk.send(.arrived(arrivals[index]))
        }
        var order = desk.finish(running).forwards
        for _ in 0..<3 { order += desk.finish(order[order.count - 1]).forwards }
        #expect(order == [arrivals[1], arrivals[3], arrivals[2], arrivals[0]].map(\.work))
    }

    @Test func `a job too large for what is free does not block smaller ones`() {
        var desk = Desk()
        desk.add(0, sequences: 100, kvTokens: 10_000)
        let (request, _) = desk.request(prompt: 4000)
        #expect(desk.send(.started(request)).deeds.isEmpty)
        let (large, effects) = desk.job(prompt: 6000)
        #expect(effects.deeds.isEmpty)
        let (small, more) = desk.job(prompt: 500)
        #expect(more.deeds == [.forward(small, EndpointID(0))])
        _ = desk.send(.started(small))
        _ = desk.finish(small)
        #expect(desk.finish(request).deeds == [.forward(large, EndpointID(0))])
    }

    @Test func `many jobs of a model without room do not hold back another's`() {
        var desk = Desk(endpoints: 2, sequences: 2)
        _ = desk.send(.endpointModels(EndpointID(1), [ModelID(1)]))
        for _ in 0..<40 { _ = desk.job() }
        #expect(desk.pool.async.waiting == 39)
        var jobs: [WorkID] = []
        for _ in 0..<2 {
            var job = desk.makeArrival(.async)
            job.model = ModelID(1)
            jobs.append(job.work)
            _ = desk.send(.arrived(job))
        }
        #expect(desk.endpoint(1)?.async.works == 1)
        #expect(desk.finish(jobs[0]).forwards == [jobs[1]])
    }

    @Test func `few async prompt tokens await prefill at once`() {
        var desk = Desk(endpoints: 1, sequences: 100)
        let jobs = (0..<8).map { _ in desk.job(prompt: 500) }
        #expect(jobs.flatMap(\.effects.forwards).count == 2)
        #expect(desk.send(.started(jobs[0].work)).deeds.isEmpty)
        // The next event of any kind uses the room; time alone does too, when answers are not streamed.
        #expect(desk.sample(0).forwards.count >= 1)
        var granted = desk.pool.async.inFlight
        for _ in 0..<200 where granted < 8 {
            _ = desk.advance(.milliseconds(20))
            granted = desk.pool.async.inFlight
        }
        #expect(granted == 8)
    }

    @Test func `foreign load counts in full for async however old the view`() {
        var desk = Desk(endpoints: 1, sequences: 20)
        desk.sample(0, running: 16)
        let jobs = (0..<4).map { _ in desk.job(prompt: 1) }
        #expect(jobs.flatMap(\.effects.forwards).count == 1)
        #expect(desk.advance(.seconds(3)).forwards.isEmpty)
    }

    @Test func `a stale or missing view allows a trickle`() {
        var desk = Desk()
        _ = desk.send(
            .endpointAdded(
                EndpointDescription(
                    id: EndpointID(0), pool: PoolID(0), maximumSequences: 60, models: [ModelID(0)])))
        let jobs = (0..<10).map { _ in desk.job(prompt: 1) }
        #expect(jobs.flatMap(\.effects.forwards).count == 3)
        #expect(desk.request().effects.forwards.count == 1, "real-time is not held back")
        #expect(desk.sample(0).forwards.count == 7)
    }

    @Test func `a paused band grants and claims nothing`() {
        var desk = Desk(endpoints: 1)
        #expect(desk.send(.asyncPaused(true)).deeds.isEmpty)
        #expect(desk.send(.backlog(PoolID(0), ModelID(0), pending: 5)).deeds.isEmpty)
        let (job, effects) = desk.job()
        #expect(effects.deeds.isEmpty)
        #expect(desk.request().effects.forwards.count == 1)
        #expect(desk.send(.asyncPaused(false)).deeds == [.forward(job, EndpointID(0)), .claim(5)])
    }

    @Test func `a failed attempt of a job is answered and not repeated`() {
        var desk = Desk(endpoints: 3)
        let cases: [(AttemptFailure, Outcome)] = [
            (.connect, .connectFailed), (.full(retryAfter: .seconds(7)), .enginesFull),
            (.reset(bytesSent: true), .engineReset), (.truncated, .engineTruncated),
        ]
        for (failure, outcome) in cases {
            let (job, _) = desk.job()
            let effects = desk.send(.failed(job, failure))
            #expect(effects.deeds.first == .refuse(job, outcome))
            #expect(effects.forwards.isEmpty)
        }
        #expect(desk.pool.async.inFlight == 0)
    }

    @Test func `jobs are claimed in windows, one claim at a time`() {
        var desk = Desk(endpoints: 1, sequences: 2)
        #expect(desk.send(.backlog(PoolID(0), ModelID(0), pending: 1000)).deeds == [.claim(64)])
        var jobs: [WorkID] = []
        for _ in 0..<64 {
            let (job, effects) = desk.job()
            jobs.append(job)
            #expect(effects.claims.isEmpty)
        }
        #expect(desk.send(.claimed(PoolID(0), ModelID(0), pending: 936)).deeds.isEmpty)
        #expect(desk.pool.async.inFlight == 1)
        var claims: [Int] = []
        for job in jobs where claims.isEmpty {
            claims = desk.finish(job).claims
        }
        #expect(claims == [33])
        #expect(desk.pool.async.waiting == 31)
    }

    @Test func `each model has a window of its own`() {
        var desk = Desk()
        for index in 0..<2 {
            _ = desk.send(
                .endpointAdded(
                    EndpointDescription(
                        id: EndpointID(index), pool: PoolID(0), maximumSequences: 2, models: [ModelID(index)])))
            desk.sample(index)
        }
        #expect(desk.send(.backlog(PoolID(0), ModelID(0), pending: 1000)).deeds == [.claim(64)])
        for _ in 0..<64 { _ = desk.job() }
        #expect(desk.send(.claimed(PoolID(0), ModelID(0), pending: 936)).deeds.isEmpty)
        #expect(desk.pool.async.waiting == 63)
        // The first model's engine is busy and 63 of its jobs wait: the other's are read all the same.
        #expect(desk.send(.backlog(PoolID(0), ModelID(1), pending: 10)).deeds == [.claim(10)])
    }

    @Test func `where places are few all models come to claim`() {
        var pool = PoolSettings()
        pool.flow.async.entries = 4
        var desk = Desk(endpoints: 1, sequences: 1, pool: pool)
        _ = desk.send(.endpointModels(EndpointID(0), (0..<8).map { ModelID($0) }))
        _ = desk.request()
        for model in 0..<8 { _ = desk.send(.backlog(PoolID(0), ModelID(model), pending: 9)) }
        var works: [WorkID] = []
        for model in 0..<4 {
            var arrival = desk.makeArrival(.async)
            arrival.model = ModelID(model)
            _ = desk.send(.arrived(arrival))
            _ = desk.send(.claimed(PoolID(0), ModelID(model), pending: 8))
            works.append(arrival.work)
        }
        var claimed: [Int] = []
        for work in works {
            for case .claimJobs(_, let model, _) in desk.send(.cancelled(work)) { claimed.append(model.index) }
        }
        #expect(claimed == [4, 5, 6, 7])
    }

    @Test func `only its own end closes a claim`() {
        var desk = Desk(endpoints: 1)
        #expect(desk.send(.backlog(PoolID(0), ModelID(0), pending: 3)).deeds == [.claim(3)])
        // News, and the end of another's claim, which was never asked for.
        #expect(desk.send(.backlog(PoolID(0), ModelID(0), pending: 9)).deeds.isEmpty)
        #expect(desk.send(.claimed(PoolID(0), ModelID(1), pending: 9)).deeds.isEmpty)
        _ = desk.job()
        #expect(desk.send(.claimed(PoolID(0), ModelID(0), pending: 9)).deeds == [.claim(9)])
    }

    @Test func `jobs told of during a claim are claimed after it`() {
        var desk = Desk(endpoints: 1)
        #expect(desk.send(.backlog(PoolID(0), ModelID(0), pending: 3)).deeds == [.claim(3)])
        // The claim looked before these were there.
        #expect(desk.send(.backlog(PoolID(0), ModelID(0), pending: 9)).deeds.isEmpty)
        #expect(desk.send(.claimed(PoolID(0), ModelID(0), pending: 0)).deeds == [.claim(9)])
        #expect(desk.send(.claimed(PoolID(0), ModelID(0), pending: 0)).deeds.isEmpty)
        #expect(desk.pool.backlog == 0)
    }

    @Test func `the windows of many models fit in the band together`() {
        var settings = PoolSettings()
        settings.flow.async.entries = 8
        var desk = Desk(endpoints: 1, pool: settings)
        let claims = (0..<5).map { desk.send(.backlog(PoolID(0), ModelID($0), pending: 2)).claims }
        #expect(claims == [[2], [2], [2], [2], []])
    }

    @Test func `a claim that brought nothing is repeated after a pause`() {
        var desk = Desk(endpoints: 1)
        #expect(desk.send(.backlog(PoolID(0), ModelID(0), pending: 3)).deeds == [.claim(3)])
        let effects = desk.send(.claimed(PoolID(0), ModelID(0), pending: 3))
        #expect(effects.deeds.isEmpty)
        #expect(desk.advance(.milliseconds(999)).deeds.isEmpty)
        #expect(desk.advance(.milliseconds(1)).deeds == [.claim(3)])
        #expect(desk.send(.claimed(PoolID(0), ModelID(0), pending: 0)).deeds.isEmpty)
        #expect(desk.advance(.seconds(5)).deeds.isEmpty)
    }

    @Test func `a job whose time to wait ends is answered`() {
        var desk = Desk(endpoints: 1, sequences: 1)
        _ = desk.request()
        let (job, _) = desk.job()
        #expect(desk.advance(.seconds(10)).deeds == [.refuse(job, .queueTimeout)])
    }

    @Test func `going down returns waiting jobs and still serves real-time`() {
        var desk = Desk(endpoints: 1, sequences: 2)
        let running = [desk.request().work, desk.request().work]
        let (waiting, _) = desk.request()
        let (job, _) = desk.job()
        #expect(desk.send(.shutdown).deeds == [.refuse(job, .shuttingDown)])
        #expect(desk.finish(running[0]).deeds == [.forward(waiting, EndpointID(0))])
        let (late, effects) = desk.job()
        #expect(effects.deeds == [.refuse(late, .shuttingDown)])
        #expect(desk.send(.backlog(PoolID(0), ModelID(0), pending: 5)).deeds.isEmpty)
    }

    @Test func `async fills endpoints evenly`() {
        var desk = Desk(endpoints: 4, sequences: 40)
        for _ in 0..<40 { _ = desk.job(prompt: 1) }
        for index in 0..<4 { #expect(desk.endpoint(index)?.async.works == 10) }
    }
}
