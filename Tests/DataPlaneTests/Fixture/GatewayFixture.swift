import DataPlane
import FleetTracking
import FlowControl
import Logging
import NIOCore
import NIOPosix
import SchedulerRuntime
import Scheduling
import ServiceLifecycle
import Synchronization
import Testing

/// What came of something, in order, with a way to wait for more of it.
final class Journal<Entry: Sendable>: Sendable {
    private struct State {
        var entries: [Entry] = []
        var waiters: [(condition: @Sendable ([Entry]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    func append(_ entry: Entry) {
        let ready = state.withLock { state in
            state.entries.append(entry)
            let entries = state.entries
            let ready = state.waiters.filter { $0.condition(entries) }
            state.waiters.removeAll { $0.condition(entries) }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    var entries: [Entry] { state.withLock { $0.entries } }

    func wait(until condition: @escaping @Sendable ([Entry]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if condition(state.entries) { return true }
                state.waiters.append((condition, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}

/// Keeps every record.
final class RecordJournal: RecordSink {
    let records = Journal<RequestRecord>()
    func record(_ record: RequestRecord, loop: Int) { records.append(record) }
}

/// A listener with scripted engines behind it and a scripted scheduler between them.
struct GatewayFixture: Sendable {
    let port: Int
    let listener: GatewayListener
    let host: SchedulerHost
    let engines: [FakeEngine]
    /// Where the engines listen, in their order.
    let enginePorts: [Int]
    let events: Journal<Event>
    let records: Journal<RequestRecord>
    let services: RelayServices
    /// One entry when the listener's `run` has returned.
    let ended: Journal<Int>
    let group: ServiceGroup?

    /// Begins a graceful shutdown.
    func drain() async { await group?.triggerGracefulShutdown() }

    func connect(autoRead: Bool = true) async throws -> TestSocket {
        try await TestSocket.connect(port: port, autoRead: autoRead)
    }

    /// Sends one request on a fresh connection and returns its answer.
    func ask(_ request: String, isHead: Bool = false) async throws -> TestMessage? {
        let socket = try await connect()
        try await socket.send(request)
        let answer = await socket.takeMessage(isHead: isHead)
        await socket.close()
        return answer
    }

    /// Waits until so many client connections are open. Gives up with the test's own time limit.
    func connections(are count: Int) async {
        while listener.connections.current != count, !Task.isCancelled { await Task.yield() }
    }

    /// Waits until every work that arrived has ended. True when each ended exactly once.
    func everyWorkEndsOnce() async -> Bool {
        await events.wait { GatewayFixture.ends($0).values.allSatisfy { $0 > 0 } }
        return GatewayFixture.ends(events.entries).values.allSatisfy { $0 == 1 }
    }

    private static func ends(_ events: [Event]) -> [WorkID: Int] {
        var ends: [WorkID: Int] = [:]
        for event in events {
            switch event {
            case .arrived(let arrival): ends[arrival.work] = 0
            case .finished(let work, _), .cancelled(let work): ends[work, default: 0] += 1
            default: break
            }
        }
        return ends
    }
}

struct FixtureOptions: Sendable {
    var settings = RelaySettings()
    var pool = PoolEntry(
        id: PoolID(0), name: "main",
        allowedPaths: ["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"])
    var kind = EngineKind.vllm
    var authorization: String?
    var identity: any Identifying = AnyKey()
    var surface: (any ControlSurface)?
    /// Decides after the default was asked; nil: the default below.
    var script: SchedulerHost.Script?
    /// Replaces the engines' ports: dead endpoints.
    var ports: [Int?]?
    var tls: ListenerTLS?
    var engineTLS: EngineTLS?
    /// Time as the gateway sees it. Its ticks come in real time.
    var clock = MonotonicClock.system
    /// Run the listener in a service group, so that `drain` works.
    var drains = false
}

/// Sends every arrival to endpoint 0 and every failure to the next endpoint; refuses when there is none.
func defaultScript(endpoints: Int) -> SchedulerHost.Script {
    let attempts = AttemptCounts()
    return { event, _, effects in
        switch event {
        case .arrived(let arrival):
            attempts.set(arrival.work, 1)
            effects.append(.forward(arrival.work, EndpointID(0), attempt: 1))
        case .failed(let work, let failure):
            let next = attempts.next(work)
            if next <= endpoints, failure.mayGoElsewhere {
                effects.append(.forward(work, EndpointID(next - 1), attempt: next))
            } else {
                effects.append(.refuse(work, failure.outcome, retryAfter: .seconds(7)))
            }
        default: break
        }
    }
}

final class AttemptCounts: Sendable {
    private let counts = Mutex<[WorkID: Int]>([:])
    func set(_ work: WorkID, _ count: Int) { counts.withLock { $0[work] = count } }
    func next(_ work: WorkID) -> Int {
        counts.withLock {
            $0[work, default: 0] += 1
            return $0[work] ?? 0
        }
    }
}

extension AttemptFailure {
    var mayGoElsewhere: Bool {
        switch self {
        case .connect, .full, .reset: true
        default: false
        }
    }

    var outcome: Outcome {
        switch self {
        case .connect: .connectFailed
        case .full: .enginesFull
        case .reset: .engineReset
        case .firstByteTimeout: .firstByteTimeout
        case .truncated: .engineTruncated
        case .idleTimeout: .idleTimeout
        case .protocolError: .engineProtocol
        }
    }
}

/// The event loops of every gateway under test: two, so that works have different homes.
let gatewayLoops = MultiThreadedEventLoopGroup(numberOfThreads: 2)

/// Runs `body` against a gateway on a free port; everything is stopped afterwards.
func withGateway(
    _ engines: [FakeEngine], _ options: FixtureOptions = FixtureOptions(),
    _ body: @escaping @Sendable (GatewayFixture) async throws -> Void
) async throws {
    var endpoints: [EndpointEntry?] = []
    var enginePorts: [Int] = []
    for (index, engine) in engines.enumerated() {
        let port = try await engine.start()
        enginePorts.append(port)
        endpoints.append(
            EndpointEntry(
                id: EndpointID(index), pool: PoolID(0), url: "http://127.0.0.1:\(port)", host: "127.0.0.1",
                port: (options.ports?[index]).flatMap { $0 } ?? port, tls: options.engineTLS,
                authorization: options.authorization,
                kind: options.kind))
    }
    let directory = Directory(
        pools: [options.pool], endpoints: endpoints,
        models: ["mock": ModelEntry(id: ModelID(0), pool: PoolID(0), record: "{}")])
    let loops = Array(gatewayLoops.makeIterator())
    let events = Journal<Event>()
    let decide = options.script ?? defaultScript(endpoints: engines.count)
    let host = SchedulerHost(loops: loops, clock: options.clock) { event, now, effects in
        events.append(event)
        decide(event, now, &effects)
    }
    let sink = RecordJournal()
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let services = RelayServices(
        host: host, directory: DirectoryHolder(directory), names: Names(), sink: sink, identity: options.identity,
        settings: options.settings, logger: logger)
    let bridge = options.surface.map {
        ControlBridge(
            surface: $0, limit: options.settings.controlRequests, reserve: options.settings.controlReserve,
            logger: logger)
    }
    let listener = try GatewayListener(
        binding: .init(port: 0, tls: options.tls), group: gatewayLoops, services: services, bridge: bridge)
    let ended = Journal<Int>()
    let (relayServices, ports) = (services, enginePorts)
    try await withThrowingTaskGroup(of: Void.self) { group in
        let services = options.drains ? ServiceGroup(services: [listener], logger: logger) : nil
        group.addTask {
            defer { ended.append(1) }
            if let services { try await services.run() } else { try await listener.run() }
        }
        if let bridge { group.addTask { try await bridge.run() } }
        for engine in engines { group.addTask { await engine.run() } }
        let port = try #require(await listener.address()?.port)
        try await body(
            GatewayFixture(
                port: port, listener: listener, host: host, engines: engines, enginePorts: ports, events: events,
                records: sink.records, services: relayServices, ended: ended, group: services))
        for engine in engines { await engine.stop() }
        bridge?.close()
        group.cancelAll()
    }
}

extension RelayServices {
    /// The same with a scheduler's host of its own.
    func onFreshHost() -> RelayServices {
        on(SchedulerHost(loops: Array(gatewayLoops.makeIterator())) { _, _, _ in })
    }

    func on(_ host: SchedulerHost) -> RelayServices {
        RelayServices(host: host, directory: directory, names: names, sink: sink, logger: logger)
    }
}

/// A chat request with this body and these extra header lines.
func chat(_ body: String = "{\"model\":\"mock\",\"messages\":[]}", headers: String = "") -> String {
    "POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n\(headers)"
        + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
}
