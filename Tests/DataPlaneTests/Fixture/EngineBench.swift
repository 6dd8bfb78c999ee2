import FleetTracking
import FlowControl
import Logging
import NIOCore
import NIOEmbedded
import SchedulerRuntime
import Scheduling
import Testing

@testable import DataPlane

/// The engine's side of the data path on an embedded event loop: the test is the engine, says what comes when and how
/// it is cut, and moves the time. Nothing here waits.
///
/// Requests go to idle connections of `connect`: there is nothing to dial.
final class EngineBench {
    let eventLoop = EmbeddedEventLoop()
    let clock = ManualClock(start: Instant.zero + .seconds(1000))
    let relay: LoopRelay
    let directory: DirectoryHolder
    private let journal = Journal<Event>()
    private let sink = RecordJournal()
    private var serial: UInt64 = 0

    init(
        _ kind: EngineKind = .vllm, settings: RelaySettings = RelaySettings(), script: SchedulerHost.Script? = nil
    ) {
        let (journal, decide) = (journal, script ?? defaultScript(endpoints: 2))
        let host = SchedulerHost(loops: [eventLoop], clock: clock.clock) { event, now, effects in
            journal.append(event)
            decide(event, now, &effects)
        }
        let endpoints = (0..<2).map { index in
            EndpointEntry(
                id: EndpointID(index), pool: PoolID(0), url: "http://10.1.2.\(index):8000", host: "10.1.2.\(index)",
                port: 8000, kind: kind)
        }
        directory = DirectoryHolder(Directory(endpoints: endpoints))
        let services = RelayServices(
            host: host, directory: directory, names: Names(), sink: sink, settings: settings,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        relay = LoopRelay(index: 0, eventLoop: eventLoop, services: services)
        host.attach(relay, loop: 0)
        relay.start()
    }

    deinit { relay.stop() }

    var events: [Event] { journal.entries }
    var records: [RequestRecord] { sink.records.entries }

    var failures: [AttemptFailure] {
        events.compactMap { if case .failed(_, let failure) = $0 { failure } else { nil } }
    }

    var starts: Int { events.filter { if case .started = $0 { true } else { false } }.count }

    /// The works' ends: outcomes, nil for cancelled ones.
    var ends: [Outcome?] {
        events.compactMap { event -> Outcome?? in
            switch event {
            case .finished(_, let completion): .some(completion.outcome)
            case .cancelled: .some(nil)
            default: nil
            }
        }
    }

    /// An idle connection to an endpoint, which the next request there takes.
    func connect(_ endpoint: Int = 0) throws -> EngineEnd {
        let lane = try #require(relay.lane(EndpointID(endpoint)))
        let connection = EngineConnection(lane: lane, loop: relay)
        let end = try EngineEnd(connection, eventLoop)
        #expect(relay.keep(connection))
        return end
    }

    /// Begins a request; the script decides where it goes.
    @discardableResult
    func ask(_ owner: ScriptedOwner, body: String = "{}") -> Exchange {
        serial += 1
        let work = WorkID(home: 0, serial: serial)
        let record = RequestRecord(
            work: work, requestID: "r\(serial)", band: .realtime, method: "POST", path: "/v1/chat/completions",
            outcome: .completed, arrivedAt: clock.clock.now(), endedAt: clock.clock.now())
        let order = ExchangeOrder(
            work: work, body: ByteBuffer(string: body), reservedBytes: 0, mayRetryAfterSend: true, record: record)
        let exchange = Exchange(order, owner: owner, loop: relay)
        owner.exchange = exchange
        relay.add(exchange)
        relay.host.submit(
            .arrived(
                Arrival(
                    work: work, pool: PoolID(0), model: ModelID(0), band: .realtime, promptTokens: 1,
                    expectedOutputTokens: 1, timeToLive: .seconds(60))))
        return exchange
    }

    /// Moves time, tick by tick. What is due within the last tick is told in the next one.
    func advance(by duration: Duration) {
        for _ in 0..<(duration.wholeNanoseconds / DeadlineWheel.tick) {
            clock.advance(by: .nanoseconds(DeadlineWheel.tick))
            eventLoop.advanceTime(by: .nanoseconds(DeadlineWheel.tick))
        }
    }
}

/// An engine's end of one connection.
final class EngineEnd {
    let connection: EngineConnection
    private let channel: EmbeddedChannel
    private let socket = SocketGate()
    private var seen = ""

    init(_ connection: EngineConnection, _ loop: EmbeddedEventLoop) throws {
        self.connection = connection
        channel = EmbeddedChannel(loop: loop)
        channel.connect(to: try SocketAddress(ipAddress: "10.1.2.9", port: 8000), promise: nil)
        try channel.pipeline.syncOperations.addHandlers(socket, connection)
    }

    var isOpen: Bool { channel.isActive }

    /// False while the engine takes nothing of what it is sent.
    var takesRequests: Bool {
        get { !socket.holdsWrites }
        set {
            socket.holdsWrites = !newValue
            if newValue { socket.release() }
        }
    }

    /// The channel asks for its next read now.
    func askForRead() { channel.pipeline.syncOperations.read() }

    /// Gives the gateway these bytes as one read, if it asks for one. False: it does not read now.
    @discardableResult
    func send(_ bytes: some Collection<UInt8>) -> Bool {
        guard channel.isActive else { return false }
        // The channel asks by itself after each read, as a socket's does.
        if !socket.isAsked { channel.pipeline.syncOperations.read() }
        guard socket.takeWish() else { return false }
        channel.pipeline.syncOperations.fireChannelRead(NIOAny(ByteBuffer(bytes: bytes)))
        channel.pipeline.syncOperations.fireChannelReadComplete()
        return true
    }

    @discardableResult
    func send(_ text: String) -> Bool { send(text.utf8) }

    /// Ends the connection in order.
    func close() { channel.pipeline.syncOperations.close(promise: nil) }

    /// Ends it with a reset.
    func reset() {
        channel.pipeline.syncOperations.fireErrorCaught(IOError(errnoCode: 104, reason: "read"))
        channel.pipeline.syncOperations.close(promise: nil)
    }

    /// Everything that came here so far.
    func received() throws -> String {
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { seen += String(buffer: buffer) }
        return seen
    }
}

/// Stands where the socket would be: knows whether a read was asked for, and can hold writes back.
private final class SocketGate: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    private(set) var isAsked = false
    var holdsWrites = false
    private var held: [(data: NIOAny, promise: EventLoopPromise<Void>?)] = []
    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func takeWish() -> Bool {
        defer { isAsked = false }
        return isAsked
    }

    func read(context: ChannelHandlerContext) { isAsked = true }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if holdsWrites { held.append((data, promise)) } else { context.write(data, promise: promise) }
    }

    func release() {
        let all = held
        held = []
        for (data, promise) in all { context?.write(data, promise: promise) }
        context?.flush()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        let all = held
        held = []
        for (_, lost) in all { lost?.fail(ChannelError.ioOnClosedChannel) }
        context.close(mode: mode, promise: promise)
    }
}
