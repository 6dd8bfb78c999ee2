import FleetTracking
import FlowControl
import Testing

@Suite struct FlowControllerTests {
    static func queued(
        _ serial: UInt64, _ band: Band = .realtime, model: Int = 0, tokens: Int = 10, expires: Int64 = 30,
        deadline: Int64 = 1000
    ) -> QueuedWork {
        QueuedWork(
            work: WorkID(home: 0, serial: serial), band: band, model: ModelID(model), promptTokens: tokens,
            arrivedAt: .zero, expiresAt: .zero + .seconds(expires), deadline: .zero + .seconds(deadline),
            arrival: serial)
    }

    /// A controller and the tickets of what waits in it.
    struct Line {
        var flow = FlowController()
        var tickets: [UInt64: QueueTicket] = [:]

        mutating func add(_ queued: QueuedWork) { tickets[queued.work.rawValue] = flow.enqueue(queued) }

        @discardableResult
        mutating func remove(_ serial: UInt64) -> QueuedWork? {
            tickets.removeValue(forKey: serial).flatMap { flow.remove($0) }
        }

        /// What a round comes to when every work goes but those of `blocked` models.
        func round(_ band: Band = .realtime, blocked: Set<Int> = []) -> [UInt64] {
            var line = self
            var serials: [UInt64] = []
            line.flow.beginRound(band)
            while let head = line.flow.nextHead(band) {
                serials.append(head.queued.work.rawValue)
                guard !blocked.contains(head.queued.model.index) else { continue }
                line.remove(head.queued.work.rawValue)
                line.flow.goOn(after: head)
            }
            return serials
        }
    }

    @Test func `real-time goes by arrival, also what waited before`() {
        var line = Line()
        for serial in 1...4 { line.add(Self.queued(UInt64(serial))) }
        let ticket = line.tickets[2]
        #expect(line.remove(2)?.work.rawValue == 2)
        #expect(line.remove(2) == nil, "once")
        #expect(line.round() == [1, 3, 4])
        var back = Self.queued(2)
        back.hasTried = true
        line.add(back)
        #expect(line.round() == [1, 2, 3, 4])
        #expect(ticket.map { line.flow.queued($0) == nil } == true, "an old ticket does not name the slot's next work")
        #expect(line.flow.depth(.realtime) == FlowController.Depth(works: 4, promptTokens: 40))
        #expect(line.flow.depth(.async) == FlowController.Depth())
    }

    @Test(arguments: Band.allCases)
    func `a model that is held back holds back no other, and one look at it is enough`(_ band: Band) {
        var line = Line()
        for serial in 1...100 { line.add(Self.queued(UInt64(serial), band, model: 7)) }
        for (serial, model) in [(101, 3), (102, 4), (103, 3), (104, 4)] {
            line.add(Self.queued(UInt64(serial), band, model: model))
        }
        #expect(line.round(band, blocked: [7]) == [1, 101, 102, 103, 104])
        #expect(line.round(band, blocked: [7, 3]) == [1, 101, 102, 104])
        #expect(line.flow.hasWaiting(ModelID(3)) == (band == .realtime))
        #expect(!line.flow.hasWaiting(ModelID(5)))
        for serial in [1, 50, 101, 103] as [UInt64] { line.remove(serial) }
        #expect(!line.flow.hasWaiting(ModelID(3)))
        #expect(line.round(band, blocked: [7]) == [2, 102, 104])
    }

    @Test func `a work that an attempt failed for holds back no other of its model`() {
        var line = Line()
        var tried = Self.queued(1)
        tried.hasTried = true
        line.add(tried)
        for serial in 2...3 { line.add(Self.queued(UInt64(serial))) }
        #expect(line.round() == [1, 2, 3])
        line.flow.beginRound(.realtime)
        let looks = (0..<3).map { _ in line.flow.nextHead(.realtime)?.queued.work.rawValue }
        #expect(looks == [1, 2, nil])
    }

    @Test func `async goes by deadline, then by arrival`() {
        var line = Line()
        for (serial, deadline) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
            line.add(Self.queued(UInt64(serial), .async, deadline: Int64(deadline)))
        }
        #expect(line.round(.async) == [2, 4, 3, 1])
        line.remove(2)
        #expect(line.round(.async) == [4, 3, 1])
    }

    @Test func `behind a job come the next ones of its model alone`() {
        var settings = FlowSettings()
        settings.lookahead = 3
        var line = Line(flow: FlowController(settings: settings))
        for serial in 1...6 { line.add(Self.queued(UInt64(serial), .async, model: serial % 2, tokens: serial)) }
        for serial in 7...20 { line.add(Self.queued(UInt64(serial), .async, model: 1, tokens: serial)) }
        line.flow.beginRound(.async)
        let head = line.flow.nextHead(.async)
        var jobs: [QueuedWork] = []
        if let head { line.flow.behind(head, into: &jobs) }
        #expect(jobs.map(\.promptTokens) == [3, 5, 7])
    }

    @Test func `each band has its own bounds`() {
        var settings = FlowSettings()
        settings.realtime = BandLimits(entries: 2, promptTokens: 100)
        settings.async = BandLimits(entries: 1, promptTokens: 100)
        var flow = FlowController(settings: settings)
        #expect(flow.hasPlace(.realtime, promptTokens: 5000), "an empty band takes any")
        let ticket = flow.enqueue(Self.queued(1, tokens: 60))
        #expect(flow.hasPlace(.realtime, promptTokens: 40))
        #expect(!flow.hasPlace(.realtime, promptTokens: 41))
        _ = flow.enqueue(Self.queued(2, tokens: 1))
        #expect(!flow.hasPlace(.realtime, promptTokens: 0))
        #expect(flow.hasPlace(.async, promptTokens: 0))
        flow.remove(ticket)
        #expect(flow.hasPlace(.realtime, promptTokens: 99))
    }

    @Test func `works expire in the order of their ends`() {
        var flow = FlowController()
        _ = flow.enqueue(Self.queued(1, expires: 30))
        let second = flow.enqueue(Self.queued(2, expires: 10))
        _ = flow.enqueue(Self.queued(3, .async, expires: 20))
        #expect(flow.nextExpiry == .zero + .seconds(10))
        flow.remove(second)
        #expect(flow.nextExpiry == .zero + .seconds(20))
        #expect(flow.popExpired(at: .zero + .seconds(19)) == nil)
        #expect(flow.popExpired(at: .zero + .seconds(40))?.work.rawValue == 3)
        #expect(flow.popExpired(at: .zero + .seconds(40))?.work.rawValue == 1)
        #expect(flow.popExpired(at: .zero + .seconds(40)) == nil)
        #expect(flow.nextExpiry == nil)
    }

    @Test func `advice rests on the rate at which works leave`() {
        var flow = FlowController()
        #expect(flow.retryAfter(.realtime, at: .zero) == .seconds(60))
        for step in 0..<80 { flow.recordForward(.realtime, at: .zero + .milliseconds(100 * step)) }
        let now = Instant.zero + .seconds(8)
        #expect(flow.retryAfter(.realtime, at: now) == .seconds(1))
        for serial in 1...99 { _ = flow.enqueue(Self.queued(UInt64(serial))) }
        // 100 works at about 10 each second, of whole seconds and the running one.
        #expect([.seconds(10), .seconds(11)].contains(flow.retryAfter(.realtime, at: now)))
        #expect(flow.retryAfter(.async, at: now) == .seconds(60))
        #expect(flow.retryAfter(.realtime, at: now + .seconds(20)) == .seconds(60), "nothing left lately")
    }

    /// The controller against a plain list, over random operations.
    @Test(arguments: 0..<50)
    func `it does what a sorted list does`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var line = Line()
        var model: [QueuedWork] = []
        for serial in 1...400 {
            let now = Instant.zero + .seconds(Int64(serial / 10))
            switch generator.below(4) {
            case 0, 1:
                let band: Band = generator.below(2) == 0 ? .realtime : .async
                var queued = Self.queued(
                    UInt64(serial), band, model: generator.below(5), tokens: generator.below(100),
                    expires: Int64(serial / 10 + generator.below(20)), deadline: Int64(generator.below(8)))
                queued.hasTried = generator.below(8) == 0
                line.add(queued)
                model.append(queued)
            case 2:
                guard !model.isEmpty else { continue }
                let gone = model.remove(at: generator.below(model.count))
                let ticket = line.tickets[gone.work.rawValue]
                #expect(line.remove(gone.work.rawValue) == gone)
                #expect(ticket.map { line.flow.remove($0) == nil } == true)
            default:
                while let expired = line.flow.popExpired(at: now) {
                    #expect(expired.expiresAt == model.map(\.expiresAt).min())
                    line.tickets[expired.work.rawValue] = nil
                    model.removeAll { $0.work == expired.work }
                }
                #expect(line.flow.nextExpiry == model.map(\.expiresAt).min())
            }
            for band in Band.allCases {
                let waiting = model.filter { $0.band == band }
                #expect(line.flow.depth(band).works == waiting.count)
                #expect(line.flow.depth(band).promptTokens == waiting.reduce(0) { $0 + $1.promptTokens })
            }
        }
        #expect(line.round() == model.filter { $0.band == .realtime }.map(\.work.rawValue))
        let sorted = model.filter { $0.band == .async }.sorted {
            ($0.deadline, $0.arrival) < ($1.deadline, $1.arrival)
        }
        #expect(line.round(.async) == sorted.map(\.work.rawValue))
    }
}
