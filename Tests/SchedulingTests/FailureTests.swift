import EndpointPicking
import FleetTracking
import FlowControl
import Scheduling
import Testing

@Suite struct FailureTests {
    @Test func `a failed attempt goes to an endpoint that was not tried`() {
        var desk = Desk(endpoints: 3)
        let (work, first) = desk.request()
        let second = desk.send(.failed(work, .connect))
        let third = desk.send(.failed(work, .reset(bytesSent: true)))
        let tried = [first, second, third].compactMap { $0.endpoint(of: work) }
        #expect(Set(tried).count == 3)
        #expect(desk.send(.failed(work, .connect)).deeds == [.refuse(work, .connectFailed)])
        for index in 0..<3 { #expect(desk.endpoint(index)?.realtime == BandLoad()) }
    }

    @Test func `no more attempts are made than allowed`() {
        var settings = PoolSettings()
        settings.retry.attempts = 2
        var desk = Desk(endpoints: 8, pool: settings)
        let (work, _) = desk.request()
        #expect(desk.send(.failed(work, .connect)).forwards == [work])
        #expect(desk.send(.failed(work, .connect)).deeds == [.refuse(work, .connectFailed)])
    }

    @Test(arguments: [
        (AttemptFailure.firstByteTimeout, Outcome.firstByteTimeout), (.truncated, .engineTruncated),
        (.idleTimeout, .idleTimeout), (.protocolError, .engineProtocol),
    ])
    func `some failures end a request at once`(_ failure: AttemptFailure, _ outcome: Outcome) {
        var desk = Desk(endpoints: 3)
        let (work, _) = desk.request()
        #expect(desk.send(.failed(work, failure)).deeds == [.refuse(work, outcome)])
    }

    @Test func `after the first byte nothing is tried again`() {
        var desk = Desk(endpoints: 3)
        let (work, _) = desk.request()
        #expect(desk.send(.started(work)).deeds.isEmpty)
        #expect(desk.send(.failed(work, .reset(bytesSent: true))).deeds == [.refuse(work, .engineReset)])
    }

    @Test func `a request with side effects is not sent twice`() {
        var desk = Desk(endpoints: 3)
        var arrival = desk.makeArrival()
        arrival.mayRetryAfterSend = false
        _ = desk.send(.arrived(arrival))
        #expect(desk.send(.failed(arrival.work, .connect)).forwards == [arrival.work], "nothing was sent")
        #expect(desk.send(.failed(arrival.work, .reset(bytesSent: false))).forwards == [arrival.work])
        #expect(desk.send(.failed(arrival.work, .full(retryAfter: nil))).deeds == [.refuse(arrival.work, .enginesFull)])
    }

    @Test func `when every engine says full the request waits for room`() {
        var desk = Desk(endpoints: 2)
        let (work, _) = desk.request()
        #expect(desk.send(.failed(work, .full(retryAfter: nil))).forwards == [work])
        let effects = desk.send(.failed(work, .full(retryAfter: nil)))
        #expect(effects.deeds.isEmpty)
        #expect(desk.pool.realtime.waiting == 1)
        guard case .wake(let wake)? = effects.last else {
            Issue.record("no timer for the end of the pause")
            return
        }
        desk.now = max(desk.now, wake)
        #expect(desk.send(.timerFired).forwards == [work])
        #expect(desk.finish(work).deeds.isEmpty)
    }

    @Test func `a sample ends the pause of an endpoint that said full`() {
        var desk = Desk(endpoints: 1)
        let (work, _) = desk.request()
        #expect(desk.send(.failed(work, .full(retryAfter: .seconds(1)))).deeds.isEmpty)
        #expect(desk.endpoint(0)?.isFull == true)
        #expect(desk.sample(0).forwards == [work])
    }

    @Test func `a full endpoint is tried by one request and then by one more for each that it answers`() {
        var desk = Desk(endpoints: 1, sequences: 100)
        let works = (0..<20).map { _ in desk.request().work }
        for work in works { #expect(desk.send(.failed(work, .full(retryAfter: nil))).deeds.isEmpty) }
        // Twenty waited; one goes, is told the same, and the pause doubles.
        #expect(desk.advance(.milliseconds(100)).forwards == [works[0]])
        #expect(desk.send(.failed(works[0], .full(retryAfter: nil))).deeds.isEmpty)
        #expect(desk.advance(.milliseconds(199)).deeds.isEmpty)
        var sent = desk.advance(.milliseconds(1)).forwards
        #expect(sent == [works[0]], "it has its old place")
        #expect(desk.sample(0, running: 9, waiting: 3).deeds.isEmpty, "work waits in the engine")
        for expected in [2, 4, 8] {
            var next: [WorkID] = []
            for work in sent { next += desk.send(.started(work)).forwards }
            sent = next
            #expect(sent.count == expected)
        }
        #expect(desk.sample(0).forwards.count == 5, "nothing waits in the engine: all that is left")
    }

    @Test func `a job that tries a full endpoint does not hold real-time off`() {
        var desk = Desk(endpoints: 1, sequences: 100)
        let (first, _) = desk.job()
        _ = desk.send(.failed(first, .full(retryAfter: nil)))
        let jobs = (0..<2).map { _ in desk.job().work }
        #expect(desk.advance(.milliseconds(100)).forwards == [jobs[0]])
        let works = (0..<2).map { _ in desk.request() }
        #expect(works.flatMap(\.effects.forwards) == [works[0].work], "one of its own, beside the job")
        #expect(desk.send(.started(works[0].work)).forwards == [works[1].work])
    }

    @Test func `a server error lets no more in and brings no endpoint back`() {
        var desk = Desk(endpoints: 2)
        for _ in 0..<3 { _ = desk.send(.probed(EndpointID(0), healthy: false)) }
        _ = desk.send(.probed(EndpointID(0), healthy: true))
        // The last of its pool, which no failure takes out.
        _ = desk.send(.endpointRemoved(EndpointID(1)))
        let works = (0..<3).map { _ in desk.request() }
        #expect(works.flatMap(\.effects.forwards) == [works[0].work])
        #expect(desk.finish(works[0].work, status: 500).forwards == [works[1].work])
        #expect(desk.endpoint(0)?.health == .returning(allowance: 1))
        #expect(desk.finish(works[1].work).forwards == [works[2].work])
        #expect(desk.endpoint(0)?.health == .returning(allowance: 2))
    }

    @Test func `failures from before an endpoint came back are forgotten`() {
        var settings = PoolSettings()
        settings.fleet.ejection.fullAllowance = 1
        settings.fleet.ejection.attemptFailures = 2
        settings.retry.attempts = 1
        var desk = Desk(endpoints: 2, sequences: 100, pool: settings)
        for _ in 0..<3 { _ = desk.send(.probed(EndpointID(0), healthy: false)) }
        _ = desk.send(.probed(EndpointID(0), healthy: true))
        // With the other one on its way out it is the last and stays, although it failed.
        _ = desk.send(.endpointDraining(EndpointID(1), true))
        let (first, _) = desk.request()
        #expect(desk.send(.failed(first, .connect)).deeds == [.refuse(first, .connectFailed)])
        let (second, _) = desk.request()
        #expect(desk.send(.started(second)).deeds == [.restored(EndpointID(0))])
        _ = desk.send(.endpointDraining(EndpointID(1), false))
        let next = (0..<2).map { _ in desk.request() }
        guard let onIt = next.first(where: { $0.effects.endpoint(of: $0.work) == EndpointID(0) }) else {
            Issue.record("not sent there")
            return
        }
        #expect(desk.send(.failed(onIt.work, .connect)).deeds == [.refuse(onIt.work, .connectFailed)])
        #expect(desk.endpoint(0)?.health == .healthy)
    }

    @Test func `a request that leaves a full endpoint unanswered lets another try`() {
        var desk = Desk(endpoints: 1, sequences: 100)
        let works = (0..<4).map { _ in desk.request().work }
        for work in works { _ = desk.send(.failed(work, .full(retryAfter: nil))) }
        #expect(desk.advance(.milliseconds(100)).forwards == [works[0]])
        #expect(desk.send(.cancelled(works[0])).forwards == [works[1]])
        #expect(desk.send(.failed(works[1], .connect)).forwards == [works[2]])
    }

    @Test func `a work that ends on a full endpoint makes room for one`() {
        var desk = Desk(endpoints: 1, sequences: 100)
        let running = (0..<2).map { _ in desk.request().work }
        for work in running { _ = desk.send(.started(work)) }
        let works = (0..<4).map { _ in desk.request().work }
        for work in works { _ = desk.send(.failed(work, .full(retryAfter: .seconds(1)))) }
        #expect(desk.pool.realtime.waiting == 4)
        // The place and the trial: two may be there unanswered.
        #expect(desk.finish(running[0]).forwards == [works[0], works[1]])
        #expect(desk.send(.failed(works[0], .full(retryAfter: .seconds(1)))).deeds.isEmpty)
        #expect(desk.endpoint(0)?.isFull == true)
        // An answer that is not streamed counts at its end.
        #expect(desk.finish(works[1]).forwards == [works[0], works[2]])
    }

    @Test func `a request that found only full engines ends as that`() {
        var desk = Desk(endpoints: 1)
        let (work, _) = desk.request()
        _ = desk.send(.failed(work, .full(retryAfter: .seconds(5))))
        var effects: [Effect] = []
        for _ in 0..<100 where effects.deeds.isEmpty || effects.forwards == [work] {
            effects = desk.advance(.milliseconds(200))
            if effects.forwards == [work] { effects += desk.send(.failed(work, .full(retryAfter: .seconds(5)))) }
        }
        #expect(effects.deeds.last == .refuse(work, .enginesFull))
        #expect(effects.retryAfter != nil)
    }

    @Test func `retries stop when their budget is spent and come back with time`() {
        var settings = PoolSettings()
        settings.retry.perSecond = 1
        settings.retry.share = 0
        settings.retry.burst = 1
        settings.fleet.ejection.attemptFailures = 1000
        var desk = Desk(endpoints: 2, pool: settings)
        let (first, _) = desk.request()
        #expect(desk.send(.failed(first, .connect)).deeds.first == .retried)
        let (second, _) = desk.request()
        #expect(desk.send(.failed(second, .connect)).deeds == [.retryBudgetSpent, .refuse(second, .connectFailed)])
        desk.now = desk.now + .seconds(1)
        let (third, _) = desk.request()
        #expect(desk.send(.failed(third, .connect)).deeds.first == .retried)
    }

    @Test func `an endpoint that fails again and again leaves the rotation and comes back slowly`() {
        var settings = PoolSettings()
        settings.retry.attempts = 1
        var desk = Desk(endpoints: 2, sequences: 100, pool: settings)
        _ = desk.send(.endpointDraining(EndpointID(1), true))
        let works = (0..<5).map { _ in desk.request().work }
        _ = desk.send(.endpointDraining(EndpointID(1), false))
        var deeds: [Deed] = []
        for work in works { deeds += desk.send(.failed(work, .connect)).deeds }
        #expect(deeds.last == .ejected(EndpointID(0)) || deeds.contains(.ejected(EndpointID(0))))
        for _ in 0..<10 { #expect(desk.request().effects.forwards.count == 1) }
        #expect(desk.endpoint(1)?.realtime.works == 10)
        _ = desk.advance(.seconds(2))
        #expect(desk.endpoint(0)?.health == .returning(allowance: 1))
        // One work at first, then two, four, …
        let trial = desk.request()
        #expect(trial.effects.endpoint(of: trial.work) == EndpointID(0))
        for _ in 0..<3 {
            let next = desk.request()
            #expect(next.effects.endpoint(of: next.work) == EndpointID(1))
        }
        _ = desk.finish(trial.work)
        #expect(desk.endpoint(0)?.health == .returning(allowance: 2))
        var restored: [Deed] = []
        for _ in 0..<8 where restored.isEmpty {
            let next = desk.request()
            restored = desk.finish(next.work).deeds
        }
        #expect(restored == [.restored(EndpointID(0))])
        #expect(desk.endpoint(0)?.health == .healthy)
    }

    /// Two endpoints of which each was away and has just begun to return.
    private func returning() -> Desk {
        var desk = Desk(endpoints: 2, sequences: 200)
        for index in 0..<2 {
            for _ in 0..<3 { _ = desk.send(.probed(EndpointID(index), healthy: false)) }
            _ = desk.send(.probed(EndpointID(index), healthy: true))
            desk.sample(index)
        }
        return desk
    }

    @Test func `answers that begin bring an endpoint back, however long they last`() {
        var desk = returning()
        for index in 0..<2 { #expect(desk.endpoint(index)?.health == .returning(allowance: 1)) }
        var fresh: [WorkID] = []
        for _ in 0..<200 { fresh += desk.request().effects.forwards }
        #expect(fresh.count == 2, "one each, the others wait")
        var forwarded = 2
        var restored = 0
        for _ in 0..<6 {
            let began = fresh
            fresh = []
            for work in began {
                let effects = desk.send(.started(work))
                fresh += effects.forwards
                restored += effects.deeds.count { if case .restored = $0 { true } else { false } }
            }
            forwarded += fresh.count
        }
        #expect(restored == 2)
        #expect(forwarded == 200, "none of them has ended")
        for index in 0..<2 { #expect(desk.endpoint(index)?.health == .healthy) }
    }

    @Test func `jobs alone bring endpoints back`() {
        var desk = returning()
        var open: [WorkID] = []
        for _ in 0..<100 { open += desk.job(prompt: 1).effects.forwards }
        #expect(open.count == 2, "one each")
        var ended = 0
        while !open.isEmpty {
            open += desk.finish(open.removeFirst()).forwards
            ended += 1
        }
        #expect(ended == 100)
        for index in 0..<2 { #expect(desk.endpoint(index)?.health == .healthy) }
    }

    @Test func `a job on trial does not hold real-time off`() {
        var desk = returning()
        for _ in 0..<4 { _ = desk.job(prompt: 1) }
        for index in 0..<2 { #expect(desk.endpoint(index)?.async.works == 1) }
        let places = (0..<3).map { _ in desk.request() }
        #expect(places.compactMap { $0.effects.endpoint(of: $0.work) }.count == 2, "one each, beside the job")
        #expect(desk.job(prompt: 1).effects.forwards.isEmpty, "jobs get only what real-time leaves")
    }

    @Test func `works from before an ejection neither take nor earn places on return`() {
        var desk = Desk(endpoints: 2, sequences: 200)
        let old = (0..<40).map { _ in desk.request().work }
        for work in old.prefix(20) { _ = desk.send(.started(work)) }
        for index in 0..<2 {
            for _ in 0..<3 { _ = desk.send(.probed(EndpointID(index), healthy: false)) }
            _ = desk.send(.probed(EndpointID(index), healthy: true))
        }
        let trials = (0..<4).map { _ in desk.request() }
        #expect(trials.compactMap { $0.effects.endpoint(of: $0.work) }.count == 2, "one each")
        for work in old { _ = desk.send(.started(work)) }
        for index in 0..<2 { #expect(desk.endpoint(index)?.health == .returning(allowance: 1)) }
        for work in old.prefix(30) { _ = desk.finish(work) }
        for index in 0..<2 { #expect(desk.endpoint(index)?.health == .returning(allowance: 1)) }
    }

    @Test func `a failure on return ejects for longer`() {
        var settings = PoolSettings()
        settings.retry.attempts = 1
        settings.fleet.ejection.attemptFailures = 1
        var desk = Desk(endpoints: 2, pool: settings)
        let works = (0..<2).map { _ in desk.request() }
        guard let victim = works.first(where: { $0.effects.endpoint(of: $0.work) == EndpointID(0) }) else {
            Issue.record("no work on the endpoint")
            return
        }
        _ = desk.send(.failed(victim.work, .connect))
        let from = desk.now
        #expect(desk.endpoint(0)?.health == .ejected(until: from + .seconds(2)))
        _ = desk.advance(.seconds(2))
        let trial = desk.request()
        #expect(trial.effects.endpoint(of: trial.work) == EndpointID(0))
        _ = desk.send(.failed(trial.work, .connect))
        #expect(desk.endpoint(0)?.health == .ejected(until: desk.now + .seconds(4)))
    }

    @Test func `the last endpoint is never ejected`() {
        var settings = PoolSettings()
        settings.fleet.ejection.attemptFailures = 1
        var desk = Desk(endpoints: 2, pool: settings)
        for _ in 0..<10 { _ = desk.send(.probed(EndpointID(0), healthy: false)) }
        for _ in 0..<10 { _ = desk.send(.probed(EndpointID(1), healthy: false)) }
        #expect(desk.endpoint(1)?.health == .healthy)
        let (work, effects) = desk.request()
        #expect(effects.deeds == [.forward(work, EndpointID(1))])
        // When the last sound one leaves, the ejected one is better than nothing.
        _ = desk.send(.endpointRemoved(EndpointID(1)))
        let (next, more) = desk.request()
        #expect(more.deeds == [.forward(next, EndpointID(0))])
        #expect(desk.scheduler.decision(for: next)?.ignoredHealth == true)
    }

    @Test func `health checks eject and a good one lets back`() {
        var desk = Desk(endpoints: 2)
        for _ in 0..<2 { #expect(desk.send(.probed(EndpointID(0), healthy: false)).deeds.isEmpty) }
        #expect(desk.send(.probed(EndpointID(0), healthy: false)).deeds == [.ejected(EndpointID(0))])
        // While checks fail the end of the time changes nothing.
        _ = desk.advance(.seconds(30))
        guard case .ejected? = desk.endpoint(0)?.health else {
            Issue.record("came back unhealthy")
            return
        }
        _ = desk.send(.probed(EndpointID(0), healthy: true))
        #expect(desk.endpoint(0)?.health == .returning(allowance: 1))
    }

    @Test func `server errors count against an endpoint`() {
        var desk = Desk(endpoints: 2, sequences: 1)
        var ejected = false
        for _ in 0..<20 where !ejected {
            let pair = [desk.request(), desk.request()]
            for (work, effects) in pair {
                let isBad = effects.endpoint(of: work) == EndpointID(0)
                let deeds = desk.finish(work, status: isBad ? 500 : 200).deeds
                if deeds.contains(.ejected(EndpointID(0))) { ejected = true }
            }
        }
        #expect(ejected)
    }
}
