import DataPlane
import FleetTracking
import FlowControl
import NIOCore
import NIOPosix
import NIOSSL
import SchedulerRuntime
import Scheduling
import ServiceLifecycle
import Testing

@Suite(.timeLimit(.minutes(2))) struct ListenerTests {
    private func tlsSocket(_ gateway: GatewayFixture, _ certificate: SelfSigned) async throws -> TestSocket {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(certificate.certificateFile)
        let context = try NIOSSLContext(configuration: configuration)
        let (stream, continuation) = AsyncStream<ByteBuffer>.makeStream()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: nil))
                    try pipeline.addHandler(PieceHandler(continuation))
                }
            }
            .connect(host: "127.0.0.1", port: gateway.port).get()
        return TestSocket(channel: channel, pieces: stream)
    }

    @Test func speaksTLSAndTakesARenewedCertificate() async throws {
        let certificate = try SelfSigned()
        defer { certificate.remove() }
        var options = FixtureOptions()
        options.tls = ListenerTLS(certificateFile: certificate.certificateFile, keyFile: certificate.keyFile)
        try await withGateway([FakeEngine.answering { _ in jsonAnswer("{\"ok\":1}") }], options) { gateway in
            let first = try await tlsSocket(gateway, certificate)
            try await first.send(chat())
            #expect(await first.takeMessage()?.text == "{\"ok\":1}")
            try certificate.renew()
            gateway.listener.reloadCertificates()
            // Only the new certificate is trusted by this client; the old connection goes on.
            let second = try await tlsSocket(gateway, certificate)
            try await second.send(chat() + chat())
            #expect(await second.takeMessage()?.text == "{\"ok\":1}")
            #expect(await second.takeMessage()?.text == "{\"ok\":1}")
            try await first.send(chat())
            #expect(await first.takeMessage()?.text == "{\"ok\":1}")
            // Plain HTTP on a TLS port ends the connection, nothing more.
            let plain = try await gateway.connect()
            try await plain.send(chat())
            await plain.untilClosed()
        }
    }

    @Test func reachesEnginesOverTLSOnlyWhenTheyAreTrusted() async throws {
        let certificate = try SelfSigned()
        let stranger = try SelfSigned()
        defer {
            certificate.remove()
            stranger.remove()
        }
        // The second gateway's listener is the TLS engine of the first.
        var inner = FixtureOptions()
        inner.tls = ListenerTLS(certificateFile: certificate.certificateFile, keyFile: certificate.keyFile)
        try await withGateway([FakeEngine.answering { jsonAnswer($0.text) }], inner) { engine in
            for (authority, status) in [(certificate, 200), (stranger, 502)] {
                var outer = FixtureOptions()
                outer.ports = [engine.port]
                outer.engineTLS = EngineTLS(authorityFile: authority.certificateFile)
                try await withGateway([FakeEngine.answering { _ in "" }], outer) { gateway in
                    let answer = try await gateway.ask(chat())
                    #expect(answer?.status == status)
                }
            }
        }
    }

    @Test func aDrainEndsRunningRequestsAndThenTheListener() async throws {
        let go = Journal<Int>()
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            try await socket.send(streamHead + chunk(event("one")))
            await go.wait { !$0.isEmpty }
            try await socket.send(chunk(event("two")) + "0\r\n\r\n")
            await socket.untilClosed()
        }
        var options = FixtureOptions()
        options.drains = true
        try await withGateway([engine], options) { gateway in
            // One on each loop: when both are closed, every loop has heard of the drain.
            let idle = [try await gateway.connect(), try await gateway.connect()]
            for socket in idle {
                try await socket.send("OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n")
                #expect(await socket.takeMessage()?.status == 204)
            }
            let running = try await gateway.connect()
            try await running.send(chat("{\"model\":\"mock\",\"stream\":true}") + chat())
            _ = await running.take(through: event("one"))
            await gateway.drain()
            for socket in idle { await socket.untilClosed() }
            go.append(1)
            let rest = await running.takeAll()
            #expect(rest.contains(event("two")) && rest.hasSuffix("0\r\n\r\n"))
            await gateway.ended.wait { !$0.isEmpty }
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    @Test func aDrainWithNothingToWaitForEndsAtOnce() async throws {
        var options = FixtureOptions()
        options.drains = true
        try await withGateway([], options) { gateway in
            let idle = try await gateway.connect()
            try await idle.send("OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: g\r\n\r\n")
            #expect(await idle.takeMessage()?.status == 204)
            await idle.close()
            await gateway.drain()
            await gateway.ended.wait { !$0.isEmpty }
        }
    }

    @Test func aDrainDoesNotWaitForAHandshake() async throws {
        let certificate = try SelfSigned()
        defer { certificate.remove() }
        var options = FixtureOptions()
        options.tls = ListenerTLS(certificateFile: certificate.certificateFile, keyFile: certificate.keyFile)
        options.drains = true
        // Longer than this test may take.
        options.settings.writeStall = .seconds(600)
        options.settings.headTimeout = .seconds(600)
        options.settings.drainTimeout = .seconds(600)
        try await withGateway([], options) { gateway in
            let silent = try await gateway.connect()
            // The start of a record of 512 bytes.
            try await silent.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01])
            await gateway.connections(are: 1)
            await gateway.drain()
            await gateway.ended.wait { !$0.isEmpty }
            await silent.untilClosed()
        }
    }

    /// A job has no client connection: its end is the signal.
    @Test func aDrainWaitsForJobs() async throws {
        let (asked, go) = (Journal<Int>(), Journal<Int>())
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            asked.append(1)
            await go.wait { !$0.isEmpty }
            try await socket.send(jsonAnswer("{}"))
            await socket.untilClosed()
        }
        var options = FixtureOptions()
        options.drains = true
        try await withGateway([engine], options) { gateway in
            let arrival = Arrival(
                work: gateway.listener.jobs.makeWorkID(), pool: PoolID(0), model: ModelID(0), band: .async,
                promptTokens: 1, expectedOutputTokens: 1, timeToLive: .seconds(60))
            let attempt = JobAttempt(
                arrival: arrival, path: "/v1/chat/completions", body: ByteBuffer(string: "{\"model\":\"mock\"}"),
                requestID: "job-1", model: "mock", tenant: "")
            let answers = Journal<JobAnswer>()
            gateway.listener.jobs.place(attempt, onGrant: { _, _ in }, onAnswer: { answers.append($0) })
            await asked.wait { !$0.isEmpty }
            let idle = try await gateway.connect()
            await gateway.drain()
            await idle.untilClosed()
            #expect(gateway.ended.entries.isEmpty && answers.entries.isEmpty)
            go.append(1)
            await gateway.ended.wait { !$0.isEmpty }
            #expect(answers.entries.map(\.outcome) == [.completed])
        }
    }

    @Test func aDrainCutsWhatOutlivesItsLimit() async throws {
        let engine = FakeEngine { socket in
            _ = await socket.takeMessage()
            await socket.untilClosed()
        }
        var options = FixtureOptions()
        options.drains = true
        options.settings.drainTimeout = .milliseconds(150)
        try await withGateway([engine], options) { gateway in
            let running = try await gateway.connect()
            try await running.send(chat())
            await gateway.events.wait { !$0.isEmpty }
            await gateway.drain()
            #expect(await running.takeAll() == "")
            await gateway.ended.wait { !$0.isEmpty }
            #expect(await gateway.everyWorkEndsOnce())
            #expect(gateway.records.entries.map(\.outcome) == [.clientGone])
        }
    }

    @Test func aPortInUseIsAnError() async throws {
        try await withGateway([]) { gateway in
            let services = gateway.services
            let second = try GatewayListener(
                binding: .init(port: gateway.port), group: gatewayLoops,
                services: services.onFreshHost(), bridge: nil)
            await #expect(throws: (any Error).self) { try await second.run() }
            #expect(await second.address() == nil)
        }
    }
}
