import DataPlane
import FleetTracking
import FlowControl
import NIOCore
import NIOSSL
import SchedulerRuntime
import Scheduling
import Testing

/// An `https://` engine that dies: before the handshake ended nothing was sent, after it everything may have been.
@Suite(.timeLimit(.minutes(2))) struct EngineTLSTests {
    private func context(_ certificate: SelfSigned) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(certificate.certificateFile)
        let key = try NIOSSLPrivateKey(file: certificate.keyFile, format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key)))
    }

    private func options(_ certificate: SelfSigned) -> FixtureOptions {
        var options = FixtureOptions()
        options.engineTLS = EngineTLS(authorityFile: certificate.certificateFile)
        return options
    }

    private func failures(_ gateway: GatewayFixture) -> [AttemptFailure] {
        gateway.events.entries.compactMap { if case .failed(_, let failure) = $0 { failure } else { nil } }
    }

    @Test(arguments: ["{\"model\":\"mock\",\"store\":true}", "{\"model\":\"mock\",\"background\":true}"])
    func oneThatDiesWithTheRequestHadIt(_ body: String) async throws {
        let certificate = try SelfSigned()
        defer { certificate.remove() }
        let engine = FakeEngine(tls: try context(certificate)) { socket in
            _ = await socket.takeMessage()
            // The process is gone: no word of TLS any more.
            let channel = socket.channel
            try await channel.eventLoop.submit {
                let pipeline = channel.pipeline.syncOperations
                try pipeline.context(handlerType: NIOSSLServerHandler.self).close(promise: nil)
            }.get()
        }
        try await withGateway([engine], options(certificate)) { gateway in
            _ = try await gateway.ask(chat(body))
            #expect(failures(gateway) == [.reset(bytesSent: true)])
        }
    }

    @Test func oneThatDiesInTheHandshakeHadNothing() async throws {
        let certificate = try SelfSigned()
        defer { certificate.remove() }
        let engine = FakeEngine { socket in _ = await socket.take(count: 1) }
        try await withGateway([engine], options(certificate)) { gateway in
            let answer = try #require(try await gateway.ask(chat()))
            #expect(answer.status == 502 && answer.text.contains("connect_failed"))
            #expect(failures(gateway) == [.connect])
        }
    }

    @Test func oneThatIsSilentInTheHandshakeIsLeftAtTheConnectLimit() async throws {
        let certificate = try SelfSigned()
        defer { certificate.remove() }
        let engine = FakeEngine { socket in await socket.untilClosed() }
        var options = options(certificate)
        options.settings.connectTimeout = .milliseconds(300)
        try await withGateway([engine], options) { gateway in
            let answer = try #require(try await gateway.ask(chat()))
            #expect(answer.status == 502 && answer.text.contains("connect_failed"))
            #expect(failures(gateway) == [.connect])
            await gateway.records.wait { $0.count == 1 }
            #expect(gateway.records.entries[0].outcome == .connectFailed)
        }
    }

    @Test func aClientThatGoesAwayDuringTheHandshakeLeavesAConnectionForTheNext() async throws {
        let certificate = try SelfSigned()
        defer { certificate.remove() }
        let arrived = Journal<Int>()
        let engine = FakeEngine(tls: try context(certificate)) { socket in
            while await socket.takeMessage() != nil { try await socket.send(jsonAnswer("{\"ok\":1}")) }
        }
        var options = options(certificate)
        options.script = { event, _, effects in
            if case .arrived(let arrival) = event {
                arrived.append(1)
                effects.append(.forward(arrival.work, EndpointID(0), attempt: 1))
            }
        }
        try await withGateway([engine], options) { gateway in
            let socket = try await gateway.connect()
            try await socket.send(chat())
            await arrived.wait { !$0.isEmpty }
            await socket.close()
            await gateway.records.wait { $0.count == 1 }
            let answer = try await gateway.ask(chat())
            #expect(answer?.text == "{\"ok\":1}")
            #expect(await gateway.everyWorkEndsOnce())
        }
    }

    @Test func aKeptConnectionIsUsedAgain() async throws {
        let certificate = try SelfSigned()
        defer { certificate.remove() }
        let engine = FakeEngine(tls: try context(certificate)) { socket in
            while let request = await socket.takeMessage() { try await socket.send(jsonAnswer(request.text)) }
        }
        try await withGateway([engine], options(certificate)) { gateway in
            let socket = try await gateway.connect()
            for _ in 0..<3 {
                try await socket.send(chat())
                #expect(await socket.takeMessage()?.status == 200)
            }
            #expect(gateway.engines[0].connections == 1)
        }
    }
}
