import FleetTracking
package import NIOCore
package import NIOPosix
import NIOSSL
import SchedulerRuntime
import ServiceLifecycle
import Synchronization

/// Listens for clients and gives each connection to one event loop. Owns the data path of every loop.
///
/// A `Service`: `run` binds, serves, and after a graceful shutdown drains: no new connections, kept ones are closed
/// when idle, running requests go on to their end or until `drainTimeout`.
package final class GatewayListener: Service {
    /// Where to listen, and how.
    package struct Binding: Sendable {
        package var host: String
        /// 0: the kernel chooses; `address` tells.
        package var port: Int
        /// Nil: plain HTTP.
        package var tls: ListenerTLS?

        package init(host: String = "127.0.0.1", port: Int = 8080, tls: ListenerTLS? = nil) {
            self.host = host
            self.port = port
            self.tls = tls
        }
    }

    private struct State {
        var channel: (any Channel)?
        var waiters: [CheckedContinuation<SocketAddress?, Never>] = []
        var isOver = false
        var drainIsOver = false
    }

    private let binding: Binding
    private let services: RelayServices
    private let bridge: ControlBridge?
    private let relays: [LoopRelay]
    private let certificates: CertificateHolder?
    private let state = Mutex(State())
    package let connections: ConnectionCount

    private let group: MultiThreadedEventLoopGroup

    /// `group` holds the very loops of `services.host.loops`, whose places there are the homes of works.
    /// Throws when the certificate cannot be read.
    package init(
        binding: Binding, group: MultiThreadedEventLoopGroup, services: RelayServices, bridge: ControlBridge? = nil
    ) throws {
        let places = Dictionary(
            services.host.loops.enumerated().map { (ObjectIdentifier($1), $0) }, uniquingKeysWith: { first, _ in first }
        )
        precondition(
            group.makeIterator().allSatisfy { places[ObjectIdentifier($0)] != nil },
            "the scheduler's host does not know every event loop of the listener")
        self.group = group
        self.binding = binding
        self.services = services
        self.bridge = bridge
        relays = services.host.loops.enumerated().map { index, loop in
            LoopRelay(index: index, eventLoop: loop, services: services)
        }
        certificates = try binding.tls.map { try CertificateHolder($0, logger: services.logger) }
        connections = ConnectionCount(
            limit: services.settings.connections, reserve: services.settings.connectionsReserve)
        for (index, relay) in relays.enumerated() { services.host.attach(relay, loop: index) }
    }

    /// The door for jobs: same scheduler, same engine connections.
    package var jobs: any JobPort { JobRelay(relays: relays, services: services) }

    /// The bound address; waits until it is bound. Nil when binding failed or the listener is over.
    package func address() async -> SocketAddress? {
        await withCheckedContinuation { continuation in
            let known: SocketAddress?? = state.withLock { state in
                if let channel = state.channel { return .some(channel.localAddress) }
                if state.isOver { return .some(nil) }
                state.waiters.append(continuation)
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }

    package func run() async throws {
        defer { finish() }
        for relay in relays { try await relay.eventLoop.submit { relay.start() }.get() }
        let channel = try await bind()
        announce(channel)
        await withGracefulShutdownHandler {
            await withTaskCancellationHandler {
                // Returns when the listening socket is closed, by either handler.
                _ = try? await channel.closeFuture.get()
            } onCancel: {
                channel.close(promise: nil)
            }
        } onGracefulShutdown: {
            channel.close(promise: nil)
        }
        await drain()
        for relay in relays { try? await relay.eventLoop.submit { relay.stop() }.get() }
    }

    private func bind() async throws -> any Channel {
        let settings = services.settings
        let bootstrap = ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: Int32(clamping: settings.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.maxMessagesPerRead, value: 32)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .childChannelOption(
                .writeBufferWaterMark,
                value: .init(low: settings.writeLowWater, high: max(settings.writeHighWater, settings.writeLowWater))
            )
            .childChannelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture { try accept(channel) }
            }
        return try await bootstrap.bind(host: binding.host, port: binding.port).get()
    }

    /// On the connection's loop.
    private func accept(_ channel: any Channel) throws {
        guard let relay = relays.first(where: { $0.eventLoop === channel.eventLoop }), let permit = connections.take()
        else {
            channel.close(promise: nil)
            return
        }
        let pipeline = channel.pipeline.syncOperations
        let tls = certificates?.context
        if let tls { try pipeline.addHandler(NIOSSLServerHandler(context: tls)) }
        let connection = ClientConnection(loop: relay, bridge: bridge, permit: permit, isSecured: tls != nil)
        try channel.syncOptions?.setOption(.recvAllocator, value: ReadSizes(hint: connection.readHint))
        try pipeline.addHandler(connection)
    }

    private func announce(_ channel: any Channel) {
        let waiters = state.withLock { state in
            state.channel = channel
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: channel.localAddress) }
    }

    private func finish() {
        let waiters = state.withLock { state in
            state.isOver = true
            state.channel = nil
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: nil) }
    }

    /// Waits until no client connection and no job attempt is left, `drainTimeout` at most.
    private func drain() async {
        let starts = relays.map { relay in relay.eventLoop.submit { relay.drain() } }
        for start in starts { try? await start.get() }
        let limit = TimeAmount.nanoseconds(services.settings.drainTimeout.wholeNanoseconds)
        let timer = relays[0].eventLoop.scheduleTask(in: limit) { self.endDrain() }
        await withTaskCancellationHandler {
            var isOver = false
            while !isOver {
                for relay in relays { try? await relay.eventLoop.flatSubmit { relay.untilIdle() }.get() }
                // Work may have come to one loop while another was waited for.
                let isIdle = await isIdle()
                isOver = isIdle || state.withLock { $0.drainIsOver }
            }
        } onCancel: {
            endDrain()
        }
        timer.cancel()
    }

    /// What still runs is not waited for any longer.
    private func endDrain() {
        state.withLock { $0.drainIsOver = true }
        for relay in relays { relay.eventLoop.execute { relay.stopWaiting() } }
    }

    private func isIdle() async -> Bool {
        for relay in relays {
            let isIdle = try? await relay.eventLoop.submit { relay.isIdle }.get()
            if isIdle == false { return false }
        }
        return true
    }

    /// Reads the certificate files again if they changed. Blocking: not for an event loop.
    package func reloadCertificates() { certificates?.reloadIfChanged() }

    /// Works that are somewhere between arrival and end, for tests and metrics.
    package func runningWorks() async -> Int {
        var sum = 0
        for relay in relays { sum += (try? await relay.eventLoop.submit { relay.runningWorks }.get()) ?? 0 }
        return sum
    }

    /// Bytes of request bodies in memory, and how often one had to wait for room; for metrics.
    package var budget: BufferBudget { services.budget }
}
