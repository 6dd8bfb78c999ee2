import FleetTracking
import FlowControl
import Scheduling
import Testing

@Suite struct EndpointLifeTests {
    @Test func `a draining endpoint takes nothing new and ends what it has`() {
        var desk = Desk(endpoints: 2)
        _ = desk.send(.endpointDraining(EndpointID(0), true))
        let works = (0..<3).map { _ in desk.request() }
        #expect(works.allSatisfy { $0.effects.endpoint(of: $0.work) == EndpointID(1) })
        _ = desk.send(.endpointDraining(EndpointID(1), true))
        let (refused, effects) = desk.request()
        #expect(effects.deeds == [.refuse(refused, .noEndpoint)])
        for (work, _) in works { _ = desk.finish(work) }
        #expect(desk.endpoint(1)?.realtime == BandLoad())
    }

    @Test func `a removed endpoint lives until its last work ended`() {
        var desk = Desk(endpoints: 2)
        let works = (0..<4).map { _ in desk.request() }
        _ = desk.send(.endpointRemoved(EndpointID(0)))
        #expect(desk.endpoint(0)?.isRemoved == true)
        let (next, effects) = desk.request()
        #expect(effects.endpoint(of: next) == EndpointID(1))
        for (work, effects) in works where effects.endpoint(of: work) == EndpointID(0) { _ = desk.finish(work) }
        #expect(desk.endpoint(0) == nil)
        // Late news of it is counted, nothing more; its id does not come back.
        #expect(desk.send(.probed(EndpointID(0), healthy: true)).deeds.isEmpty)
        desk.add(0)
        #expect(desk.endpoint(0) == nil)
    }

    @Test func `what waits when the last endpoint leaves is served by the next one or ends`() {
        var desk = Desk(endpoints: 1, sequences: 1)
        let running = desk.request().work
        let (first, _) = desk.request()
        _ = desk.send(.endpointRemoved(EndpointID(0)))
        #expect(desk.finish(running).deeds.isEmpty)
        _ = desk.send(
            .endpointAdded(EndpointDescription(id: EndpointID(1), pool: PoolID(0), maximumSequences: 1)))
        #expect(desk.send(.endpointModels(EndpointID(1), [ModelID(0)])).deeds == [.forward(first, EndpointID(1))])
        let (second, _) = desk.request()
        _ = desk.send(.endpointRemoved(EndpointID(1)))
        #expect(desk.advance(.seconds(10)).deeds == [.refuse(second, .noEndpoint)])
    }

    @Test func `new limits hold at once and let waiting work in`() {
        var desk = Desk(endpoints: 1, sequences: 1)
        let running = desk.request().work
        let (waiting, effects) = desk.request()
        #expect(effects.forwards.isEmpty)
        let wider = EngineLimits(maximumSequences: 2, batchTokens: 512)
        #expect(desk.send(.endpointLimits(EndpointID(0), wider)).deeds == [.forward(waiting, EndpointID(0))])
        let pace = desk.scheduler.latency.paces[0]
        #expect([pace.maximumSequences, pace.batchTokens] == [2, 512])
        // Less than what runs: that goes on, nothing new comes.
        _ = desk.send(.endpointLimits(EndpointID(0), EngineLimits(maximumSequences: 1)))
        let (late, none) = desk.request()
        #expect(none.forwards.isEmpty)
        #expect(desk.finish(running).forwards.isEmpty)
        #expect(desk.finish(waiting).deeds == [.forward(late, EndpointID(0))])
    }

    @Test func `the same limits again leave what was learned`() {
        var desk = Desk(endpoints: 1, sequences: 8)
        for _ in 0..<20 { desk.sample(0, running: 3, waiting: 5) }
        let learned = desk.endpoint(0)?.maximumSequences
        #expect(learned == 3)
        _ = desk.send(.endpointLimits(EndpointID(0), EngineLimits(maximumSequences: 8, batchTokens: 8192)))
        #expect(desk.endpoint(0)?.maximumSequences == learned)
        _ = desk.send(.endpointLimits(EndpointID(0), EngineLimits(maximumSequences: 9, batchTokens: 8192)))
        #expect(desk.endpoint(0)?.maximumSequences == 9)
    }

    @Test func `ids out of range are counted`() {
        var desk = Desk(endpoints: 1)
        for index in [-1, 1 << 40] {
            _ = desk.send(.endpointAdded(EndpointDescription(id: EndpointID(index), pool: PoolID(0))))
            _ = desk.send(.sampled(EndpointID(index), EngineSample(takenAt: desk.now)))
            _ = desk.send(.endpointRemoved(EndpointID(index)))
        }
        _ = desk.send(.backlog(PoolID(-1), ModelID(0), pending: 1))
        #expect(desk.scheduler.ignoredEvents == 7)
    }

    @Test func `wild samples do no harm`() {
        var desk = Desk(endpoints: 1)
        for value in [Int.min, -1, 0, Int.max] {
            desk.now = desk.now + .milliseconds(10)
            var sample = EngineSample(takenAt: desk.now)
            sample.running = value
            sample.waiting = value
            sample.blocks = value
            sample.blockSize = value
            for use in [Double.nan, -1, .infinity, 2] {
                sample.kvUse = use
                sample.prefixQueries = use
                sample.takenAt = sample.takenAt + .microseconds(1)
                _ = desk.send(.sampled(EndpointID(0), sample))
            }
        }
        #expect(desk.request().effects.forwards.count == 1)
    }

    @Test func `wild arrivals do no harm`() {
        var desk = Desk(endpoints: 1)
        for value in [Int.min, -1, Int.max] {
            for band in Band.allCases {
                var arrival = desk.makeArrival(band)
                arrival.promptTokens = value
                arrival.expectedOutputTokens = value
                arrival.sequences = value
                arrival.timeToLive = .seconds(Int64(truncatingIfNeeded: value))
                _ = desk.send(.arrived(arrival))
                _ = desk.send(.progressed([Progress(work: arrival.work, outputTokens: value)]))
                _ = desk.send(.cancelled(arrival.work))
            }
        }
        #expect(desk.scheduler.snapshot(at: desk.now).works == 0)
        #expect(desk.endpoint(0)?.residentTokens == 0)
    }
}
