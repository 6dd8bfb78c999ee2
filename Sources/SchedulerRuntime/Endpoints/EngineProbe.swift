import FleetTracking
package import NIOCore
import NIOHTTP1
import NIOPosix
package import NIOSSL
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// What an engine said to a small GET.
package struct ProbeAnswer: Sendable {
    package var status: Int
    package var body: ByteBuffer

    package init(status: Int, body: ByteBuffer) {
        self.status = status
        self.body = body
    }
}

/// Why an engine said nothing that could be used.
package enum ProbeFailure: Error, Sendable, Equatable {
    /// No connection, or it broke.
    case unreachable(String)
    case timedOut
    /// The body is over the limit, in bytes.
    case tooLarge(limit: Int)
    /// Not HTTP.
    case malformed(String)

    /// One line for logs and `neap check`.
    package var text: String {
        switch self {
        case .unreachable(let reason): "unreachable: \(reason)"
        case .timedOut: "timed out"
        case .tooLarge(let limit): "answer over \(limit) bytes"
        case .malformed(let reason): "not HTTP: \(reason)"
        }
    }
}

/// A slim HTTP/1.1 client for the small GETs of scraping and health checks: one connection, kept and used again.
///
/// One request at a time; the watch of an endpoint is its only user. Bounded in time and in bytes, so that a stalled or
/// talkative engine costs its own child task only.
package final class EngineProbe: Sendable {
    private let endpoint: EndpointEntry
    private let tls: NIOSSLContext?
    private let loop: any EventLoop
    private let state = Mutex(State())

    private struct State {
        /// Free for the next request.
        var kept: (any Channel)?
        /// Has a request under way.
        var busy: (any Channel)?
        var isClosed = false
    }

    /// `tls` must be given when the endpoint's URL is `https`.
    package init(endpoint: EndpointEntry, tls: NIOSSLContext?, loop: any EventLoop) {
        self.endpoint = endpoint
        self.tls = tls
        self.loop = loop
    }

    /// Reads `path` (put behind the endpoint's prefix). The time limit covers connecting and the whole answer.
    package func get(
        _ path: String, timeout: Duration, limitBytes: Int
    ) async throws(ProbeFailure) -> ProbeAnswer {
        let deadline = NIODeadline.now() + .nanoseconds(timeout.wholeNanoseconds)
        let kept = state.withLock { state in
            defer { state.kept = nil }
            return state.kept
        }
        if let kept, kept.isActive {
            do {
                return try await ask(path, on: kept, deadline: deadline, limitBytes: limitBytes)
            } catch ProbeFailure.unreachable {
                // The engine closed the idle connection while the request was under way; a fresh one tells the truth.
            }
        }
        let fresh = try await connect(deadline: deadline)
        return try await ask(path, on: fresh, deadline: deadline, limitBytes: limitBytes)
    }

    /// Ends the request under way, if there is one, and takes no further ones.
    package func close() {
        let open = state.withLock { state in
            state.isClosed = true
            defer { (state.kept, state.busy) = (nil, nil) }
            return [state.kept, state.busy]
        }
        for channel in open { channel?.close(promise: nil) }
    }

    /// False when the probe was closed meanwhile.
    private func use(_ channel: any Channel) -> Bool {
        state.withLock { state in
            if !state.isClosed { state.busy = channel }
            return !state.isClosed
        }
    }

    private func release(_ channel: any Channel, mayReuse: Bool) {
        let isKept = state.withLock { state in
            state.busy = nil
            guard mayReuse, !state.isClosed else { return false }
            state.kept = channel
            return true
        }
        if !isKept { channel.close(promise: nil) }
    }

    private func connect(deadline: NIODeadline) async throws(ProbeFailure) -> any Channel {
        let (tls, host) = (tls, endpoint.host)
        let left = deadline - .now()
        guard left > .zero else { throw .timedOut }
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(left)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        let name = EngineProbe.isAddress(host) ? nil : host
                        try pipeline.addHandler(NIOSSLClientHandler(context: tls, serverHostname: name))
                    }
                    try pipeline.addHTTPClientHandlers()
                    try pipeline.addHandler(ProbeHandler())
                }
            }
        do {
            return try await bootstrap.connect(host: host, port: endpoint.port).get()
        } catch ChannelError.connectTimeout {
            throw .timedOut
        } catch {
            throw .unreachable(EngineProbe.reason(error))
        }
    }

    private func ask(
        _ path: String, on channel: any Channel, deadline: NIODeadline, limitBytes: Int
    ) async throws(ProbeFailure) -> ProbeAnswer {
        var headers = HTTPHeaders([("host", authority), ("accept", "*/*"), ("user-agent", "neap-probe")])
        if let authorization = endpoint.authorization { headers.add(name: "authorization", value: authorization) }
        let head = HTTPRequestHead(
            version: .http1_1, method: .GET, uri: endpoint.pathPrefix + path, headers: headers)
        let answer = channel.eventLoop.makePromise(of: ProbeHandler.Answer.self)
        let request = ProbeHandler.Request(head: head, limitBytes: limitBytes, deadline: deadline, answer: answer)
        guard use(channel) else {
            answer.fail(ProbeFailure.unreachable("the probe was closed"))
            channel.close(promise: nil)
            throw .unreachable("the probe was closed")
        }
        // A channel that closed a moment ago has no handler left: only the write itself tells.
        let written = channel.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenFailure { answer.fail(ProbeFailure.unreachable(EngineProbe.reason($0))) }
        channel.writeAndFlush(request, promise: written)
        do {
            let result = try await answer.futureResult.get()
            release(channel, mayReuse: result.mayReuse)
            return ProbeAnswer(status: result.status, body: result.body)
        } catch let failure as ProbeFailure {
            release(channel, mayReuse: false)
            throw failure
        } catch {
            release(channel, mayReuse: false)
            throw .unreachable(EngineProbe.reason(error))
        }
    }

    private var authority: String {
        let host = endpoint.host.contains(":") ? "[\(endpoint.host)]" : endpoint.host
        return "\(host):\(endpoint.port)"
    }

    /// True for IPv4 and IPv6 literals, which must not be sent as a TLS server name.
    static func isAddress(_ host: String) -> Bool {
        (try? SocketAddress(ipAddress: host, port: 0)) != nil
    }

    static func reason(_ error: any Error) -> String {
        if let error = error as? NIOConnectionError {
            if let single = error.connectionErrors.first { return reason(single.error) }
            return "cannot resolve \(error.host)"
        }
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        return String(describing: error)
    }
}
