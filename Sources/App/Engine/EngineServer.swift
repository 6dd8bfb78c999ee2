import EngineModel
import NIOCore
import NIOHTTP1
import NIOPosix

/// The simulated engine's listener. Everything of it runs on one event loop.
struct EngineServer: Sendable {
    /// The port that the system gave.
    let port: Int
    private let listener: NIOLoopBound<EngineListener>
    private let loop: any EventLoop

    /// Why it could not start.
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Listens as the options say. `crash` is what a crash fault does.
    static func start(
        _ options: EngineOptions, on loop: any EventLoop, crash: @escaping @Sendable () -> Void
    ) async throws -> EngineServer {
        if let problem = options.engine.problem { throw Failure(description: problem) }
        let listener = try await loop.submit {
            NIOLoopBound(EngineListener(room: EngineRoom(options: options, loop: loop, crash: crash)), eventLoop: loop)
        }.get()
        do {
            let port = try await loop.flatSubmit { listener.value.open(port: options.port) }.get()
            return EngineServer(port: port, listener: listener, loop: loop)
        } catch {
            throw Failure(description: "cannot listen on \(options.host):\(options.port): \(error)")
        }
    }

    /// Stops listening and ends every connection.
    func stop() async throws {
        try await loop.submit { listener.value.close() }.get()
    }
}

/// The listening socket of one engine, which a fault can close for a while.
private final class EngineListener {
    private let room: EngineRoom
    private var channel: (any Channel)?
    private var children: [ObjectIdentifier: any Channel] = [:]
    private var isStopped = false

    init(room: EngineRoom) {
        self.room = room
        room.refuseConnections = { [weak self] in self?.pause(seconds: $0) }
    }

    /// Binds and answers with the port.
    func open(port: Int) -> EventLoopFuture<Int> {
        let loop = room.loop
        let bound = NIOLoopBound(self, eventLoop: loop)
        return ServerBootstrap(group: loop)
            .serverChannelOption(.backlog, value: Int32(clamping: room.options.limits.backlog))
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try bound.value.adopt(channel) }
            }
            .bind(host: room.options.host, port: port)
            .map { channel in
                bound.value.channel = channel
                if let seconds = bound.value.room.faults.refuseConnectionsSeconds {
                    bound.value.pause(seconds: seconds)
                }
                return channel.localAddress?.port ?? port
            }
    }

    private func adopt(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes)))
        try pipeline.addHandler(EngineConnection(room: room))
        let key = ObjectIdentifier(channel)
        children[key] = channel
        channel.closeFuture.assumeIsolated().whenComplete { [weak self] _ in self?.children[key] = nil }
    }

    /// Refuses new connections for a while; open ones stay.
    private func pause(seconds: Double) {
        guard let channel, let port = channel.localAddress?.port else { return }
        room.faults.refuseConnectionsSeconds = nil
        self.channel = nil
        channel.close(promise: nil)
        room.loop.assumeIsolated().scheduleTask(in: .nanoseconds(Int64(seconds * 1e9))) {
            guard !self.isStopped else { return }
            self.open(port: port).whenComplete { _ in }
        }
    }

    func close() {
        isStopped = true
        channel?.close(promise: nil)
        for child in children.values { child.close(promise: nil) }
    }
}
