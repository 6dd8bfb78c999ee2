import NIOCore
import NIOPosix
import SchedulerRuntime
import Testing

@testable import DataPlane

@Suite(.timeLimit(.minutes(1))) struct EarlyEndTests {
    /// The listener closes while a connection is on its way in: that one never becomes active, and nobody tells of its
    /// end but the removal of its handlers. A drain would wait for it.
    @Test func aConnectionThatWasNeverActiveIsForgotten() async throws {
        try await withGateway([]) { gateway in
            let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
            let loop = group.next()
            let host = SchedulerHost(loops: [loop]) { _, _, _ in }
            let relay = LoopRelay(index: 0, eventLoop: loop, services: gateway.services.on(host))
            let (connections, added) = (ConnectionCount(limit: 1), Journal<Int>())
            let mayGoOn = loop.makePromise(of: Void.self)
            let server = try await ServerBootstrap(group: group)
                .childChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let permit = try #require(connections.take())
                        let client = ClientConnection(loop: relay, bridge: nil, permit: permit)
                        try channel.pipeline.syncOperations.addHandler(client)
                        added.append(1)
                    }.flatMap { mayGoOn.futureResult }
                }
                .bind(host: "127.0.0.1", port: 0).get()
            let client = try await TestSocket.connect(port: try #require(server.localAddress?.port))
            await added.wait { !$0.isEmpty }
            try await server.close().get()
            mayGoOn.succeed(())
            await client.untilClosed()
            try await loop.flatSubmit { relay.untilIdle() }.get()
            #expect(connections.current == 0)
            try await group.shutdownGracefully()
        }
    }
}
