import FleetTracking
import FlowControl
import Logging
import NIOCore
import NIOEmbedded
import SchedulerRuntime
import Scheduling
import Testing

@testable import DataPlane

/// One client connection with the data path behind it on an embedded event loop: the test decides what comes when,
/// how it is cut, and what time it is. Nothing here waits.
final class EmbeddedGateway {
    let eventLoop = EmbeddedEventLoop()
    let clock = ManualClock(start: Instant.zero + .seconds(1000))
    let events = Journal<Event>()
    let socket = SocketEnd()
    let channel: EmbeddedChannel
    let client: ClientConnection
    let connections: ConnectionCount
    /// Another client's, which holds the one ordinary place; nil: this client has it.
    let otherPermit: ConnectionPermit?
    let services: RelayServices
    private let relay: LoopRelay
    private let journal = RecordJournal()
    private var sent: [UInt8] = []

    /// Without `script` every request is forwarded to the engine of `makeEngine`. Control requests are never answered;
    /// without `hasControl` there are none. `isReserved`: the connection has a place of the reserve.
    init(
        settings: RelaySettings = RelaySettings(), hasControl: Bool = true, identity: any Identifying = AnyKey(),
        isReserved: Bool = false, script: SchedulerHost.Script? = nil
    ) throws {
        let (events, decide) = (events, script ?? defaultScript(endpoints: 1))
        let host = SchedulerHost(loops: [eventLoop], clock: clock.clock) { event, now, effects in
            events.append(event)
            decide(event, now, &effects)
        }
        let pool = PoolEntry(id: PoolID(0), name: "main", allowedPaths: ["/v1/chat/completions", "/v1/messages"])
        let endpoint = EndpointEntry(
            id: EndpointID(0), pool: PoolID(0), url: "http://engine:8000", host: "engine", port: 8000, kind: .vllm)
        let directory = Directory(
            pools: [pool], endpoints: [endpoint],
            models: ["mock": ModelEntry(id: ModelID(0), pool: PoolID(0), record: "{}")])
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        services = RelayServices(
            host: host, directory: DirectoryHolder(directory), names: Names(), sink: journal, identity: identity,
            settings: settings, logger: logger)
        relay = LoopRelay(index: 0, eventLoop: eventLoop, services: services)
        host.attach(relay, loop: 0)
        connections = ConnectionCount(limit: 1, reserve: isReserved ? 1 : 0)
        otherPermit = isReserved ? connections.take() : nil
        let bridge = ControlBridge(
            surface: NoSurface(), limit: settings.controlRequests, reserve: settings.controlReserve, logger: logger)
        client = ClientConnection(
            loop: relay, bridge: hasControl ? bridge : nil, permit: try #require(connections.take()))
        // Connected first: an accepted connection knows its client before it has handlers.
        channel = EmbeddedChannel(loop: eventLoop)
        channel.connect(to: try SocketAddress(ipAddress: "10.1.2.3", port: 4567), promise: nil)
        try channel.pipeline.syncOperations.addHandlers(socket, client)
        relay.start()
    }

    /// Ends everything; returns what was told of requests.
    @discardableResult
    func finish() -> [RequestRecord] {
        relay.stop()
        eventLoop.run()
        return records
    }

    var records: [RequestRecord] { journal.records.entries }
    var runningWorks: Int { relay.runningWorks }

    /// Works that reached the scheduler.
    var arrivals: Int { events.entries.filter { if case .arrived = $0 { true } else { false } }.count }

    // MARK: The client's side

    /// Gives the gateway these bytes as one read, if it asks for one. False: it does not read now.
    @discardableResult
    func deliver(_ bytes: some Collection<UInt8>) -> Bool {
        guard channel.isActive else { return false }
        // The channel asks by itself after each read, as a socket's does.
        if !socket.isAsked { channel.pipeline.syncOperations.read() }
        guard socket.takeWish() else { return false }
        channel.pipeline.syncOperations.fireChannelRead(NIOAny(ByteBuffer(bytes: bytes)))
        channel.pipeline.syncOperations.fireChannelReadComplete()
        return true
    }

    @discardableResult
    func deliver(_ text: String) -> Bool { deliver(text.utf8) }

    /// Everything the gateway has sent so far.
    func output() throws -> [UInt8] {
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) { sent += Array(buffer: buffer) }
        return sent
    }

    /// The answers among them; `isHead` tells by its place that one has no body.
    func answers(isHead: (Int) -> Bool = { _ in false }) throws -> [TestMessage] {
        TestMessage.read(try output(), isHead: isHead).messages
    }

    func text() throws -> String { String(decoding: try output(), as: UTF8.self) }

    /// The client's window closes or opens.
    func setWritable(_ isWritable: Bool) {
        guard channel.isWritable != isWritable else { return }
        channel.isWritable = isWritable
        channel.pipeline.syncOperations.fireChannelWritabilityChanged()
    }

    /// Moves time, tick by tick. What is due within the last tick is told in the next one.
    func advance(by duration: Duration) {
        for _ in 0..<(duration.wholeNanoseconds / DeadlineWheel.tick) {
            clock.advance(by: .nanoseconds(DeadlineWheel.tick))
            eventLoop.advanceTime(by: .nanoseconds(DeadlineWheel.tick))
        }
    }

    // MARK: The engine's side

    /// An idle connection to the engine, which the next request takes.
    func makeEngine() throws -> EmbeddedChannel {
        let lane = try #require(relay.lane(EndpointID(0)))
        let connection = EngineConnection(lane: lane, loop: relay)
        let channel = EmbeddedChannel(handler: connection, loop: eventLoop)
        channel.connect(to: try SocketAddress(ipAddress: "10.1.2.4", port: 8000), promise: nil)
        #expect(relay.keep(connection))
        return channel
    }
}

/// Stands where the socket would be: knows whether a read was asked for, holds back the end of the output, and can
/// fail a flush in the way of NIO's sockets.
final class SocketEnd: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer

    private(set) var isAsked = false
    private var outputEnd: EventLoopPromise<Void>?
    /// The gateway said that it will write no more.
    private(set) var isOutputEnding = false
    /// What the socket still holds when the next flush fails; nil: flushes succeed.
    var unreadAtFailure: ByteBuffer?

    func takeWish() -> Bool {
        defer { isAsked = false }
        return isAsked
    }

    /// The last byte was taken by the client.
    func endOutput() {
        outputEnd?.succeed(())
        outputEnd = nil
    }

    func read(context: ChannelHandlerContext) { isAsked = true }

    /// A write that fails makes NIO read what the socket holds, if a read is wanted, and then close.
    func flush(context: ChannelHandlerContext) {
        guard let bytes = unreadAtFailure else { return context.flush() }
        unreadAtFailure = nil
        let pipeline = context.pipeline.syncOperations
        if !isAsked { pipeline.read() }
        if takeWish() {
            context.fireChannelRead(NIOAny(bytes))
            context.fireChannelReadComplete()
        }
        context.close(promise: nil)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if mode == .output {
            isOutputEnding = true
            outputEnd = promise
            return
        }
        outputEnd?.fail(ChannelError.ioOnClosedChannel)
        outputEnd = nil
        context.close(mode: mode, promise: promise)
    }
}

/// A control plane that is never asked: nothing runs its bridge.
private struct NoSurface: ControlSurface {
    func respond(to request: ControlRequest, writer: any ControlResponseWriter) async throws {}
}
