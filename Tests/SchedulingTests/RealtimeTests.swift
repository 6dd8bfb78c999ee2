import FleetTracking
import FlowControl
import Scheduling
import Testing

@Suite struct RealtimeTests {
    @Test func `a request goes to an endpoint with room at once`() {
        var desk = Desk(endpoints: 1)
        let (work, effects) = desk.request()
        #expect(effects.deeds == [.forward(work, EndpointID(0))])
        #expect(desk.endpoint(0)?.realtime.sequences == 1)
        #expect(desk.finish(work).deeds.isEmpty)
        #expect(desk.endpoint(0)?.realtime == BandLoad())
        #expect(desk.endpoint(0)?.residentTokens == 0)
        #expect(desk.scheduler.snapshot(at: desk.now).works == 0)
    }

    @Test func `output is counted once, as it comes or at the end`() {
        var desk = Desk(endpoints: 1)
        let streamed = desk.request().work
        let whole = desk.request().work
        let job = desk.job().work
        _ = desk.send(.progressed([Progress(work: streamed, outputTokens: 30), Progress(work: job, outputTokens: 7)]))
        #expect(desk.pool.realtime.outputTokens == 30)
        #expect(desk.pool.async.outputTokens == 7)
        var completion = Completion(outcome: .completed, status: 200)
        completion.outputTokens = 50
        _ = desk.send(.finished(streamed, completion))
        _ = desk.send(.finished(whole, completion))
        _ = desk.send(.cancelled(job))
        #expect(desk.pool.realtime.outputTokens == 100)
        #expect(desk.pool.async.outputTokens == 7)
    }

    @Test func `requests spread over idle endpoints`() {
        var desk = Desk(endpoints: 4)
        for _ in 0..<16 { _ = desk.request() }
        for index in 0..<4 { #expect(desk.endpoint(index)?.realtime.works == 4) }
    }

    @Test func `when all is full requests wait and go in order of arrival`() {
        var desk = Desk(endpoints: 1, sequences: 2)
        let running = [desk.request().work, desk.request().work]
        let waiting = (0..<3).map { _ in desk.request() }
        #expect(waiting.allSatisfy { $0.effects.deeds.isEmpty })
        #expect(desk.pool.realtime.waiting == 3)
        #expect(desk.finish(running[0]).deeds == [.forward(waiting[0].work, EndpointID(0))])
        #expect(desk.finish(running[1]).deeds == [.forward(waiting[1].work, EndpointID(0))])
        #expect(desk.finish(waiting[0].work).deeds == [.forward(waiting[2].work, EndpointID(0))])
    }

    @Test func `a request that waits past its time to live is told when to come again`() {
        var desk = Desk(endpoints: 1, sequences: 1)
        _ = desk.request()
        let (work, effects) = desk.request()
        guard case .wake(let wake)? = effects.last else {
            Issue.record("no timer was asked for")
            return
        }
        #expect(wake <= desk.now + .seconds(10))
        #expect(desk.advance(.seconds(9)).deeds.isEmpty)
        let end = desk.advance(.seconds(1))
        #expect(end.deeds == [.refuse(work, .queueTimeout)])
        // None was sent in the last seconds: the longest advice.
        #expect(end.retryAfter == .seconds(60))
        #expect(desk.pool.realtime.waiting == 0)
    }

    @Test func `a full queue refuses with advice from the rate at which it drains`() {
        var settings = PoolSettings()
        settings.flow.realtime.entries = 4
        var desk = Desk(endpoints: 1, sequences: 1, pool: settings)
        var running = desk.request().work
        for _ in 0..<8 {
            // Two requests leave each second.
            desk.now = desk.now + .milliseconds(500)
            _ = desk.finish(running)
            running = desk.request().work
        }
        for _ in 0..<4 { _ = desk.request() }
        let (work, effects) = desk.request()
        #expect(effects.deeds == [.refuse(work, .queueFull)])
        #expect(effects.retryAfter == .seconds(3))
        #expect(desk.pool.realtime.waiting == 4)
    }

    @Test func `a queue holds no more prompt tokens than its limit`() {
        var settings = PoolSettings()
        settings.flow.realtime.promptTokens = 1000
        var desk = Desk(endpoints: 1, sequences: 1, pool: settings)
        _ = desk.request()
        #expect(desk.request(prompt: 5000).effects.deeds.isEmpty, "an empty queue takes any")
        let (work, effects) = desk.request(prompt: 1)
        #expect(effects.deeds == [.refuse(work, .queueFull)])
    }

    @Test func `without an endpoint that serves the model there is nothing to wait for`() {
        var desk = Desk()
        let (work, effects) = desk.request()
        #expect(effects.deeds == [.refuse(work, .noEndpoint)])
        desk.add(0)
        var arrival = desk.makeArrival()
        arrival.model = ModelID(7)
        #expect(desk.send(.arrived(arrival)).deeds == [.refuse(arrival.work, .noEndpoint)])
        #expect(desk.send(.endpointModels(EndpointID(0), [ModelID(0), ModelID(7)])).deeds.isEmpty)
        arrival.work = WorkID(home: 0, serial: 999)
        #expect(desk.send(.arrived(arrival)).deeds == [.forward(arrival.work, EndpointID(0))])
    }

    @Test func `an unknown pool is refused`() {
        var desk = Desk(endpoints: 1)
        var arrival = desk.makeArrival()
        arrival.pool = PoolID(9)
        #expect(desk.send(.arrived(arrival)).deeds == [.refuse(arrival.work, .noEndpoint)])
    }

    @Test func `a model without room does not hold back another`() {
        var desk = Desk(endpoints: 2, sequences: 1)
        _ = desk.send(.endpointModels(EndpointID(1), [ModelID(1)]))
        let first = desk.request().work
        _ = desk.request()
        var other = desk.makeArrival()
        other.model = ModelID(1)
        #expect(desk.send(.arrived(other)).deeds == [.forward(other.work, EndpointID(1))])
        var second = desk.makeArrival()
        second.model = ModelID(1)
        #expect(desk.send(.arrived(second)).deeds.isEmpty)
        #expect(desk.finish(other.work).deeds == [.forward(second.work, EndpointID(1))])
        #expect(desk.finish(first).forwards.count == 1)
    }

    @Test func `a long queue of one model does not hold back another`() {
        var settings = PoolSettings()
        settings.flow.realtime.entries = 50
        var desk = Desk(endpoints: 2, sequences: 1, pool: settings)
        _ = desk.send(.endpointModels(EndpointID(1), [ModelID(1)]))
        for _ in 0..<40 { _ = desk.request() }
        var others: [WorkID] = []
        for _ in 0..<3 {
            var other = desk.makeArrival()
            other.model = ModelID(1)
            others.append(other.work)
            _ = desk.send(.arrived(other))
        }
        #expect(desk.pool.realtime.waiting == 41)
        #expect(desk.finish(others[0]).forwards == [others[1]])
        #expect(desk.finish(others[1]).forwards == [others[2]])
        // The queue is full of the one model; a request of the other finds room at once and need not enter it.
        for _ in 0..<11 { _ = desk.request() }
        #expect(desk.pool.realtime.waiting == 50)
        _ = desk.finish(others[2])
        var last = desk.makeArrival()
        last.model = ModelID(1)
        #expect(desk.send(.arrived(last)).deeds == [.forward(last.work, EndpointID(1))])
    }

    @Test func `of two models that both have room the earlier arrival goes first`() {
        var desk = Desk(endpoints: 1, sequences: 1)
        _ = desk.send(.endpointModels(EndpointID(0), [ModelID(0), ModelID(1), ModelID(2)]))
        var running = desk.request().work
        var waiting: [WorkID] = []
        for model in [2, 0, 1, 1, 2, 0] {
            var arrival = desk.makeArrival()
            arrival.model = ModelID(model)
            waiting.append(arrival.work)
            _ = desk.send(.arrived(arrival))
        }
        for work in waiting {
            #expect(desk.finish(running).forwards == [work])
            running = work
        }
    }

    @Test func `a cancelled request leaves the queue or its endpoint`() {
        var desk = Desk(endpoints: 1, sequences: 1)
        let running = desk.request().work
        let (waiting, _) = desk.request()
        let (last, _) = desk.request()
        #expect(desk.send(.cancelled(waiting)).deeds.isEmpty)
        #expect(desk.send(.cancelled(running)).deeds == [.forward(last, EndpointID(0))])
        #expect(desk.send(.cancelled(last)).deeds.isEmpty)
        #expect(desk.scheduler.snapshot(at: desk.now).works == 0)
        #expect(desk.scheduler.ignoredEvents == 0)
        for event in [Event.cancelled(last), .started(last), .failed(last, .connect)] {
            #expect(desk.send(event).deeds.isEmpty)
        }
        #expect(desk.finish(last).deeds.isEmpty)
        #expect(desk.scheduler.ignoredEvents == 4)
    }

    @Test func `an id that is known already is ignored`() {
        var desk = Desk(endpoints: 1)
        let arrival = desk.makeArrival()
        _ = desk.send(.arrived(arrival))
        #expect(desk.send(.arrived(arrival)).deeds.isEmpty)
        #expect(desk.scheduler.ignoredEvents == 1)
        #expect(desk.endpoint(0)?.realtime.works == 1)
    }

    @Test func `an endpoint without work of ours takes a request whatever its samples say`() {
        var desk = Desk(endpoints: 1, sequences: 2)
        desk.sample(0, running: 500, waiting: 500)
        #expect(desk.request().effects.forwards.count == 1)
        #expect(desk.request().effects.forwards.isEmpty, "foreign load counts for the next")
    }

    @Test func `foreign load holds back and is let go when it is old`() {
        var desk = Desk(endpoints: 1, sequences: 8)
        desk.sample(0, running: 7)
        _ = desk.request()
        let (work, effects) = desk.request()
        #expect(effects.forwards.isEmpty)
        #expect(desk.endpoint(0)?.foreignSequences == 7)
        // No further sample: half is gone ten seconds after the view became stale.
        desk.now = desk.now + .seconds(9)
        #expect(desk.send(.timerFired).forwards == [work])
    }

    @Test func `a huge request does not hold back the queue until an endpoint is empty`() {
        var desk = Desk()
        desk.add(0, sequences: 8, kvTokens: 10_000)
        let running = (0..<8).map { _ in desk.request().work }
        var huge = desk.makeArrival(prompt: 50_000)
        huge.sequences = 1000
        #expect(desk.send(.arrived(huge)).deeds.isEmpty)
        let (next, _) = desk.request()
        #expect(desk.finish(running[0]).deeds.isEmpty)
        #expect(desk.finish(running[1]).deeds == [.forward(huge.work, EndpointID(0))])
        #expect(desk.send(.cancelled(huge.work)).deeds == [.forward(next, EndpointID(0))])
    }

    @Test func `prompts beyond the memory of a busy endpoint wait`() {
        var desk = Desk()
        desk.add(0, sequences: 100, kvTokens: 10_000)
        let (first, _) = desk.request(prompt: 8000)
        let (second, effects) = desk.request(prompt: 3000)
        #expect(effects.deeds.isEmpty)
        #expect(desk.finish(first).deeds == [.forward(second, EndpointID(0))])
    }
}
