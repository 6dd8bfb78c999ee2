import FleetTracking
import FlowControl
import Scheduling
import Testing

/// Works that need much room are not passed by for ever.
@Suite struct ReservationTests {
    /// One endpoint for two models.
    private func desk(sequences: Int = 10, kvTokens: Int? = 100_000) -> Desk {
        var desk = Desk()
        desk.add(0, sequences: sequences, kvTokens: kvTokens)
        _ = desk.send(.endpointModels(EndpointID(0), [ModelID(0), ModelID(1)]))
        return desk
    }

    private func send(
        _ band: Band, sequences: Int = 1, prompt: Int = 1, model: Int = 0, to desk: inout Desk
    ) -> (work: WorkID, effects: [Effect]) {
        var arrival = desk.makeArrival(band, prompt: prompt)
        arrival.sequences = sequences
        arrival.model = ModelID(model)
        arrival.timeToLive = .seconds(1000)
        return (arrival.work, desk.send(.arrived(arrival)))
    }

    /// Lets time pass and keeps the view fresh: jobs get no more than a trickle by an old one.
    private func wait(_ duration: Duration, _ desk: inout Desk) {
        desk.now = desk.now + duration
        desk.sample(0)
    }

    @Test(arguments: [0, 1]) func `an overdue job of many sequences goes when jobs have given way`(model: Int) {
        var desk = desk()
        let running = (0..<8).map { _ in send(.async, to: &desk).work }
        #expect(desk.pool.async.inFlight == 8)
        let (wide, _) = send(.async, sequences: 4, model: model, to: &desk)
        let small = (0..<8).map { _ in send(.async, to: &desk).work }
        #expect(desk.finish(running[0]).forwards == [small[0]], "not overdue: others pass it by")
        wait(.seconds(10), &desk)
        for work in running[1...4] { #expect(desk.finish(work).forwards.isEmpty || work == running[4]) }
        #expect(desk.endpoint(0)?.async.sequences == 8)
        #expect(desk.pool.async.inFlight == 5, "four small ones and the wide one")
        #expect(desk.finish(wide).forwards == Array(small[1...4]), "the endpoint is open again")
    }

    @Test func `room is kept for a job only where giving way makes room`() {
        var desk = desk()
        let (request, _) = send(.realtime, to: &desk)
        let running = (0..<7).map { _ in send(.async, to: &desk).work }
        // Eight of ten are for jobs; beside the request this one never fits.
        let (huge, _) = send(.async, sequences: 8, to: &desk)
        let small = (0..<3).map { _ in send(.async, to: &desk).work }
        wait(.seconds(20), &desk)
        #expect(desk.finish(running[0]).forwards == [small[0]])
        // Now it would, and they do.
        #expect(desk.finish(request).forwards.isEmpty)
        for work in running[1...] { #expect(desk.finish(work).forwards.isEmpty) }
        #expect(desk.finish(small[0]).forwards == [huge])
    }

    @Test func `a job that is long overdue comes before those that flow, whatever their deadlines`() {
        var desk = desk()
        var running = (0..<8).map { _ in send(.async, to: &desk).work }
        var wide = desk.makeArrival(.async)
        wide.sequences = 4
        wide.model = ModelID(1)
        wide.timeToLive = .seconds(1000)
        _ = desk.send(.arrived(wide))
        var hasGone = false
        // Jobs of earlier deadlines never end to come.
        for _ in 0..<100 where !hasGone {
            var urgent = desk.makeArrival(.async, prompt: 1)
            urgent.deadline = desk.now + .seconds(1)
            urgent.timeToLive = .seconds(1000)
            _ = desk.send(.arrived(urgent))
            running.append(urgent.work)
            wait(.seconds(2), &desk)
            let forwards = desk.finish(running.removeFirst()).forwards
            hasGone = forwards.contains(wide.work)
        }
        #expect(hasGone)
    }

    @Test func `an overdue request of many sequences is not passed by for ever by those of another model`() {
        var desk = desk(sequences: 8)
        let running = (0..<8).map { _ in send(.realtime, to: &desk).work }
        let (wide, _) = send(.realtime, sequences: 2, model: 1, to: &desk)
        let small = (0..<4).map { _ in send(.realtime, to: &desk).work }
        #expect(desk.finish(running[0]).forwards == [small[0]])
        _ = desk.advance(.milliseconds(500))
        #expect(desk.finish(running[1]).forwards.isEmpty)
        #expect(desk.finish(running[2]).forwards == [wide])
        #expect(desk.finish(running[3]).forwards == [small[1]], "open again")
    }

    @Test func `an endpoint is not kept for a work that left, nor one that cannot take it`() {
        var desk = desk(sequences: 8)
        let running = (0..<8).map { _ in send(.realtime, to: &desk).work }
        let (first, _) = send(.realtime, sequences: 2, model: 1, to: &desk)
        let small = (0..<3).map { _ in send(.realtime, to: &desk).work }
        _ = desk.advance(.milliseconds(500))
        #expect(desk.finish(running[0]).forwards.isEmpty)
        #expect(desk.send(.cancelled(first)).forwards == [small[0]])
        let (second, _) = send(.realtime, sequences: 2, model: 1, to: &desk)
        _ = desk.advance(.milliseconds(500))
        _ = second
        #expect(desk.finish(running[1]).forwards == [small[1]], "the younger ones first: the small ones came earlier")
        #expect(desk.finish(running[2]).forwards == [small[2]])
        #expect(desk.finish(running[3]).forwards.isEmpty)
        _ = desk.send(.endpointModels(EndpointID(0), [ModelID(0)]))
        #expect(send(.realtime, to: &desk).effects.forwards.count == 1, "it does not serve that model any more")
    }

    @Test func `a smaller job goes by whatever it is smaller in`() {
        var desk = desk()
        let running = (0..<7).map { _ in send(.async, to: &desk).work }
        let (wide, effects) = send(.async, sequences: 4, prompt: 10, to: &desk)
        #expect(effects.forwards.isEmpty)
        let (long, more) = send(.async, prompt: 500, to: &desk)
        #expect(more.forwards == [long], "one sequence, though more tokens")
        for work in running[0..<3] { #expect(desk.finish(work).forwards.isEmpty) }
        #expect(desk.finish(running[3]).forwards == [wide])
    }

    @Test func `one model's jobs that fit nowhere do not use up the looks of another's`() {
        var desk = desk()
        let running = (0..<7).map { _ in send(.async, to: &desk).work }
        // Each is smaller than the one before and fits no more than it does.
        for sequences in [9, 8, 7, 6, 5, 4] { _ = send(.async, sequences: sequences, to: &desk) }
        _ = send(.async, sequences: 4, model: 1, to: &desk)
        let (small, effects) = send(.async, model: 1, to: &desk)
        #expect(effects.forwards == [small])
        #expect(running.count == 7)
    }

    @Test func `prefill of an endpoint that nothing is picked for runs on`() {
        var desk = Desk(endpoints: 2, sequences: 2)
        _ = desk.send(.endpointModels(EndpointID(1), [ModelID(1)]))
        // The second endpoint prefills, for a model of which nothing waits; the first is full and a job waits for it.
        _ = send(.async, prompt: 1000, model: 1, to: &desk)
        for _ in 0..<2 { _ = send(.realtime, to: &desk) }
        var next: Instant?
        for case .wake(let instant) in send(.async, to: &desk).effects { next = instant }
        #expect(next != nil)
        var wakes = 0
        let end = desk.now + .seconds(5)
        while let due = next, due < end, wakes < 100 {
            desk.now = max(desk.now, due)
            next = nil
            for case .wake(let instant) in desk.send(.timerFired) { next = min(next ?? instant, instant) }
            wakes += 1
        }
        #expect(wakes < 5, "one look when its prefill is over, and no more")
    }
}
