import FleetTracking
import FlowControl
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import SchedulerRuntime
import Scheduling
import WireFormats

/// The data path of one event loop: its works, its engine connections, its deadlines. Home of its works' effects.
// Safe because every stored property is touched on `eventLoop` only; other threads only pass the reference on.
final class LoopRelay: WorkHome, @unchecked Sendable {
    let index: Int
    let eventLoop: any EventLoop
    let services: RelayServices
    // Parts of `services`, so that a use on the hot path does not copy the whole of it.
    let settings: RelaySettings
    let host: SchedulerHost
    let directory: DirectoryHolder
    let budget: BufferBudget
    let consumesCredentials: Bool
    let gaps: TokenGapShard
    private let sink: any RecordSink
    /// Limits that are set for every read, in nanoseconds: adding a `Duration` divides 128-bit numbers.
    let firstByteNanoseconds: Int64
    let streamIdleNanoseconds: Int64
    let idleEngineNanoseconds: Int64
    let keepAliveNanoseconds: Int64
    private let connectNanoseconds: Int64
    let allocator = ByteBufferAllocator()
    /// Where heads are put together, one at a time.
    var text = ByteText(capacity: 4096)
    var wheel: DeadlineWheel
    private let clock: MonotonicClock
    private var works = ExchangeTable()
    private var routes = RouteMemo()
    private var lanes: [EndpointID: EngineLane] = [:]
    /// Endpoints whose TLS could not be set up, and when that is tried again.
    private var distrusted: [EndpointID: Instant] = [:]
    private static let trustRetry = Duration.seconds(5)
    /// The directory that `lanes` agree with.
    private var laneVersion = -1
    private var progressing: [Exchange] = []
    private var ticker: RepeatedTask?
    /// Connections whose request body waits for room in the buffer budget, in order of arrival.
    private var budgetWaiters: [ClientConnection] = []
    private(set) var clients: [ObjectIdentifier: ClientConnection] = [:]
    private(set) var isDraining = false
    /// Told when no client and no work is left.
    private var idleWaiter: EventLoopPromise<Void>?
    private var waitsForIdle = true
    private var requestIDs: RequestIDs

    init(index: Int, eventLoop: any EventLoop, services: RelayServices) {
        self.index = index
        self.eventLoop = eventLoop
        self.services = services
        settings = services.settings
        host = services.host
        clock = services.clock
        directory = services.directory
        budget = services.budget
        consumesCredentials = services.consumesCredentials
        gaps = services.gaps.indices.contains(index) ? services.gaps[index] : TokenGapShard()
        sink = services.sink
        firstByteNanoseconds = LoopRelay.limit(settings.firstByteTimeout)
        streamIdleNanoseconds = LoopRelay.limit(settings.streamIdle)
        idleEngineNanoseconds = LoopRelay.limit(settings.idleEngineTime)
        keepAliveNanoseconds = LoopRelay.limit(settings.keepAliveIdle)
        connectNanoseconds = LoopRelay.limit(settings.connectTimeout)
        wheel = DeadlineWheel(now: clock.now())
        requestIDs = RequestIDs(seed: UInt64.random(in: 0 ... .max))
    }

    @inline(__always)
    func now() -> Instant { clock.now() }

    /// A limit may be "for ever"; a sum with the clock must not overflow.
    private static func limit(_ duration: Duration) -> Int64 { min(max(duration.wholeNanoseconds, 0), 1 << 60) }

    @inline(__always)
    func after(_ nanoseconds: Int64) -> Instant { Instant(nanoseconds: clock.now().nanoseconds &+ nanoseconds) }

    func makeRequestID() -> String { requestIDs.next() }

    func buffer(of text: borrowing ByteText) -> ByteBuffer {
        var buffer = allocator.buffer(capacity: text.count)
        buffer.writeText(text)
        return buffer
    }

    /// Nil: no pool serves the model.
    func route(model: String, path: String) -> Route? { routes.route(model: model, path: path, directory) }

    // MARK: Life

    /// On the loop.
    func start() {
        let tick = TimeAmount.nanoseconds(DeadlineWheel.tick)
        ticker = eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { [weak self] _ in self?.tick() }
    }

    /// On the loop, when nothing is running any more.
    func stop() {
        ticker?.cancel()
        ticker = nil
        for lane in lanes.values { lane.retire() }
        lanes = [:]
        for client in Array(clients.values) { client.closeNow() }
    }

    /// No further request on kept connections; those that wait for one are closed.
    func drain() {
        isDraining = true
        for client in Array(clients.values) { client.drain() }
    }

    var isIdle: Bool { clients.isEmpty && works.count == 0 }

    /// Succeeds when no client and no work is left, or nobody waits for that any longer.
    func untilIdle() -> EventLoopFuture<Void> {
        let waiter = idleWaiter ?? eventLoop.makePromise(of: Void.self)
        idleWaiter = waiter
        tellIfIdle()
        return waiter.futureResult
    }

    func stopWaiting() {
        waitsForIdle = false
        tellIfIdle()
    }

    private func tellIfIdle() {
        guard let waiter = idleWaiter, isIdle || !waitsForIdle else { return }
        idleWaiter = nil
        waiter.succeed(())
    }

    private func tick() {
        let now = clock.now()
        for slot in wheel.advance(to: now) { slot.takeDue()?.deadlinePassed(now: now) }
        if !budgetWaiters.isEmpty {
            let waiting = budgetWaiters
            budgetWaiters = []
            for client in waiting { client.retryBudget(now: now) }
        }
        // Without requests too: idle connections with an old credential are closed.
        if laneVersion != directory.version { refreshLanes() }
    }

    func waitForBudget(_ client: ClientConnection) { budgetWaiters.append(client) }

    // MARK: Works

    func add(_ exchange: Exchange) { works.insert(exchange) }

    func forget(_ work: WorkID) {
        works.remove(work)
        tellIfIdle()
    }

    func exchange(_ work: WorkID) -> Exchange? { works[work] }

    var runningWorks: Int { works.count }

    func receive(_ effects: [WorkEffect]) {
        for effect in effects {
            switch effect {
            case .forward(let work, let endpoint, let attempt):
                works[work]?.forward(to: endpoint, attempt: attempt)
            case .refuse(let work, let outcome, let retryAfter):
                works[work]?.refuse(outcome, retryAfter: retryAfter)
            }
        }
    }

    /// One record for each request and each job attempt, at its end.
    func hand(_ record: consuming RequestRecord, _ outcome: Outcome) {
        record.outcome = outcome
        record.endedAt = now()
        sink.record(record, loop: index)
    }

    // MARK: Progress

    /// Gathers output of all streams of this loop; told to the scheduler in one event after `progressInterval`.
    func noteProgress(_ exchange: Exchange) {
        guard !exchange.isOnProgressList else { return }
        exchange.isOnProgressList = true
        progressing.append(exchange)
        guard progressing.count == 1 else { return }
        let delay = TimeAmount.nanoseconds(settings.progressInterval.wholeNanoseconds)
        eventLoop.scheduleTask(in: delay) { [weak self] in self?.tellProgress() }
    }

    private func tellProgress() {
        var reports: [Progress] = []
        reports.reserveCapacity(progressing.count)
        for exchange in progressing {
            exchange.isOnProgressList = false
            if let report = exchange.takeProgress() { reports.append(report) }
        }
        progressing.removeAll(keepingCapacity: true)
        if !reports.isEmpty { host.submit(.progressed(reports)) }
    }

    // MARK: Engines

    /// Nil when the endpoint is unknown or its TLS cannot be set up. As the directory in force says: a request that
    /// comes after a change of a credential is sent with the new one.
    func lane(_ endpoint: EndpointID) -> EngineLane? {
        if laneVersion != directory.version { refreshLanes() }
        if let lane = lanes[endpoint] { return lane }
        guard let entry = directory.current.endpoint(endpoint) else { return nil }
        var context: NIOSSLContext?
        if let tls = entry.tls {
            guard let made = trust(in: tls, of: entry) else { return nil }
            context = made
        }
        let lane = EngineLane(entry: entry, tls: context)
        lanes[endpoint] = lane
        return lane
    }

    /// Nil: its files cannot be used. They are not read again for every request, only after a while.
    private func trust(in tls: EngineTLS, of entry: EndpointEntry) -> NIOSSLContext? {
        if let due = distrusted[entry.id], now() < due { return nil }
        do {
            let context = try EngineTrust.context(tls)
            distrusted[entry.id] = nil
            return context
        } catch {
            distrusted[entry.id] = now() + LoopRelay.trustRetry
            services.logger.error(
                "no TLS to an engine: its authority file cannot be used",
                metadata: ["endpoint": "\(entry.url)", "problem": "\(error)", "retry": "\(LoopRelay.trustRetry)"])
            return nil
        }
    }

    private func refreshLanes() {
        distrusted = [:]
        // Read before the directory: a change in between is seen the next time.
        laneVersion = directory.version
        let directory = directory.current
        for (id, lane) in lanes {
            // A changed credential or address needs a lane of its own; running requests end on the old one.
            if let entry = directory.endpoint(id), lane.reaches(entry) {
                lane.kind = entry.kind
            } else {
                lane.retire()
                lanes[id] = nil
            }
        }
    }

    /// False: the connection is of no further use.
    func keep(_ connection: EngineConnection) -> Bool {
        let lane = connection.lane
        guard lane.isCurrent, lane.keep(connection, limit: settings.idleEngineConnections) else {
            return false
        }
        connection.wasKept()
        return true
    }

    /// Calls back once, on the loop: with a fresh connection that is ready for a request, or nil. The name's
    /// resolution, TCP and TLS may take `connectTimeout` together.
    func dial(_ lane: EngineLane, _ done: @escaping (EngineConnection?) -> Void) {
        let due = after(connectNanoseconds)
        let bootstrap = ClientBootstrap(group: eventLoop)
            .connectTimeout(.nanoseconds(connectNanoseconds))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.maxMessagesPerRead, value: 1)
            .channelOption(
                .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 512, initial: 2048, maximum: 65_536))
        let dialled =
            if let address = lane.address {
                bootstrap.connect(to: address)
            } else {
                bootstrap.connect(host: lane.entry.host, port: lane.entry.port)
            }
        dialled.assumeIsolated().whenComplete { [self] result in
            guard case .success(let channel) = result else { return done(nil) }
            let connection = EngineConnection(lane: lane, loop: self)
            do {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(connection)
                if let tls = lane.tls {
                    // Before the other: the handshake begins with it, and may fail at once.
                    let name = lane.address == nil ? lane.entry.host : nil
                    try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name), position: .first)
                }
                connection.awaitReady(by: due) { done($0 ? connection : nil) }
            } catch {
                channel.close(promise: nil)
                done(nil)
            }
        }
    }

    // MARK: Clients

    func add(_ client: ClientConnection) { clients[ObjectIdentifier(client)] = client }

    func remove(_ client: ClientConnection) {
        clients[ObjectIdentifier(client)] = nil
        tellIfIdle()
    }
}
