import FleetTracking
import NIOCore
import NIOSSL
import SchedulerRuntime

/// One endpoint as one event loop sees it: its address, the parts of a request head that never change, and the idle
/// connections to it. At most `idleEngineConnections` of them; the one used last is taken first.
final class EngineLane {
    let entry: EndpointEntry
    /// Refreshed from the directory: the kind is learned after the endpoint was added.
    var kind: EngineKind
    let tls: NIOSSLContext?
    /// The engine has a credential of its own: a client's is not sent.
    let hasCredential: Bool
    /// False once the endpoint is gone: its connections are not kept any more.
    private(set) var isCurrent = true
    /// `POST ` and the endpoint's path prefix.
    let methodAndPrefix: [UInt8]
    /// Behind the path: version, Host and, where configured, the engine's own credential.
    let versionAndHost: [UInt8]
    private(set) var idle: [EngineConnection] = []
    /// Nil: the host is a name and is resolved at every dial.
    let address: SocketAddress?

    init(entry: EndpointEntry, tls: NIOSSLContext?) {
        self.entry = entry
        self.tls = tls
        kind = entry.kind
        hasCredential = entry.authorization != nil
        methodAndPrefix = Array("POST \(entry.pathPrefix)".utf8)
        let host = entry.host.contains(":") ? "[\(entry.host)]" : entry.host
        let isDefaultPort = entry.port == (entry.tls == nil ? 80 : 443)
        var lines = " HTTP/1.1\r\nHost: \(host)\(isDefaultPort ? "" : ":\(entry.port)")\r\n"
        if let authorization = entry.authorization { lines += "Authorization: \(authorization)\r\n" }
        versionAndHost = Array(lines.utf8)
        address = try? SocketAddress(ipAddress: entry.host, port: entry.port)
    }

    /// SGLang says that it is full in the first event of a stream, after its 200. An engine of unknown kind may be one:
    /// SGLang shows metrics only when it is told to.
    var mayFailInFirstEvent: Bool { kind == .sglang || kind == .unknown }

    /// True when requests on this lane go where the entry says, with its credential.
    func reaches(_ entry: EndpointEntry) -> Bool {
        self.entry.host == entry.host && self.entry.port == entry.port && self.entry.tls == entry.tls
            && self.entry.authorization == entry.authorization && self.entry.pathPrefix == entry.pathPrefix
    }

    func takeIdle() -> EngineConnection? { idle.popLast() }

    /// False when the lane is full: close the connection.
    func keep(_ connection: EngineConnection, limit: Int) -> Bool {
        guard idle.count < limit else { return false }
        idle.append(connection)
        return true
    }

    func forget(_ connection: EngineConnection) {
        if let index = idle.lastIndex(where: { $0 === connection }) { idle.remove(at: index) }
    }

    /// The endpoint is gone: its idle connections are closed.
    func retire() {
        isCurrent = false
        let connections = idle
        idle = []
        for connection in connections { connection.close() }
    }
}
