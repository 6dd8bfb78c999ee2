import FleetTracking
import FlowControl
import Testing

@Suite struct FlowControllerTests {
    static func queued(
        _ serial: UInt64, _ band: Band = .realtime, tokens: Int = 10, expires: Int64 = 30, deadline: Int64 = 1000
    ) -> QueuedWork {
        QueuedWork(
            work: WorkID(home: 0, serial: serial), band: band, model: ModelID(0), promptTokens: tokens,
            arrivedAt: .zero, expiresAt: .zero + .seconds(expires), deadline: .zero + .seconds(deadline))
    }

    static func order(_ flow: inout FlowController) -> [UInt64] {
        var serials: [UInt64] = []
        var place = 0
        while let (queued, _, next) = flow.realtime(from: place) {
            serials.append(queued.work.rawValue)
            place = next
        }
        return serials
    }

    static func asyncOrder(_ flow: inout FlowController) -> [UInt64] {
        var found: [(QueuedWork, QueueTicket)] = []
        flow.firstAsync(limit: .max, into: &found)
        return found.map(\.0.work.rawValue)
    }

    @Test func `real-time is first in first out, and one that comes back goes first`() {
        var flow = FlowController()
        let tickets = (1...4).map { flow.enqueue(Self.queued(UInt64($0))) }
        #expect(flow.remove(tickets[1])?.work.rawValue == 2)
        #expect(flow.remove(tickets[1]) == nil, "once")
        #expect(Self.order(&flow) == [1, 3, 4])
        _ = flow.enqueue(Self.queued(2), atFront: true)
        #expect(Self.order(&flow) == [2, 1, 3, 4])
        #expect(flow.queued(tickets[1]) == nil, "an old ticket does not name the slot's next work")
        #expect(flow.depth(.realtime) == FlowController.Depth(works: 4, promptTokens: 40))
        #expect(flow.depth(.async) == FlowController.Depth())
    }

    @Test func `async goes by deadline, then by arrival`() {
        var flow = FlowController()
        for (serial, deadline) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
            _ = flow.enqueue(Self.queued(UInt64(serial), .async, deadline: Int64(deadline)))
        }
        #expect(Self.asyncOrder(&flow) == [2, 4, 3, 1])
        var found: [(QueuedWork, QueueTicket)] = []
        flow.firstAsync(limit: 2, into: &found)
        #expect(found.map(\.0.work.rawValue) == [2, 4])
        flow.remove(found[0].1)
        #expect(Self.asyncOrder(&flow) == [4, 3, 1])
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
        #expect(flow.nextExpiry() == .zero + .seconds(10))
        flow.remove(second)
        #expect(flow.nextExpiry() == .zero + .seconds(20))
        #expect(flow.popExpired(at: .zero + .seconds(19)) == nil)
        #expect(flow.popExpired(at: .zero + .seconds(40))?.work.rawValue == 3)
        #expect(flow.popExpired(at: .zero + .seconds(40))?.work.rawValue == 1)
        #expect(flow.popExpired(at: .zero + .seconds(40)) == nil)
        #expect(flow.nextExpiry() == nil)
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
        var flow = FlowController()
        var model: [(queued: QueuedWork, ticket: QueueTicket)] = []
        for serial in 1...400 {
            let now = Instant.zero + .seconds(Int64(serial / 10))
            switch generator.below(4) {
            case 0, 1:
                let band: Band = generator.below(2) == 0 ? .realtime : .async
                let queued = Self.queued(
                    UInt64(serial), band, tokens: generator.below(100),
                    expires: Int64(serial / 10 + generator.below(20)), deadline: Int64(generator.below(8)))
                model.append((queued, flow.enqueue(queued)))
            case 2:
                guard !model.isEmpty else { continue }
                let gone = model.remove(at: generator.below(model.count))
                #expect(flow.remove(gone.ticket) == gone.queued)
                #expect(flow.remove(gone.ticket) == nil)
            default:
                while let expired = flow.popExpired(at: now) {
                    #expect(expired.expiresAt <= now)
                    model.removeAll { $0.queued.work == expired.work }
                }
                #expect(!model.contains { $0.queued.expiresAt <= now })
            }
            for band in Band.allCases {
                let waiting = model.filter { $0.queued.band == band }.map(\.queued)
                #expect(flow.depth(band).works == waiting.count)
                #expect(flow.depth(band).promptTokens == waiting.reduce(0) { $0 + $1.promptTokens })
            }
        }
        #expect(Self.order(&flow) == model.filter { $0.queued.band == .realtime }.map(\.queued.work.rawValue))
        let sorted = model.filter { $0.queued.band == .async }.map(\.queued).sorted {
            ($0.deadline, $0.work.rawValue) < ($1.deadline, $1.work.rawValue)
        }
        #expect(Self.asyncOrder(&flow) == sorted.map(\.work.rawValue))
    }
}
