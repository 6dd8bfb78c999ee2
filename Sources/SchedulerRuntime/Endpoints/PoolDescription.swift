import FleetTracking

/// A pool as the configuration describes it.
package struct PoolDescription: Sendable {
    package var name: String
    package var allowedPaths: Set<String>
    package var clientPriority: ClientPriority
    package var realtimeTimeToLive: Duration
    package var expectedOutputTokens: Int
    /// Names served by this pool whatever its engines say; they are known before the first engine answers.
    package var models: [String]
    package var endpoints: [EndpointSpecification]

    package init(
        name: String, allowedPaths: Set<String>, models: [String] = [], endpoints: [EndpointSpecification] = []
    ) {
        let defaults = PoolEntry(id: PoolID(0), name: name, allowedPaths: allowedPaths)
        self.name = name
        self.allowedPaths = allowedPaths
        self.clientPriority = defaults.clientPriority
        self.realtimeTimeToLive = defaults.realtimeTimeToLive
        self.expectedOutputTokens = defaults.expectedOutputTokens
        self.models = models
        self.endpoints = endpoints
    }
}

/// An endpoint as the configuration describes it.
package struct EndpointSpecification: Sendable, Hashable {
    /// As configured, without a trailing slash; names the endpoint in logs, metrics and the admin API.
    package var url: String
    package var host: String
    package var port: Int
    package var tls: EngineTLS?
    package var authorization: String?
    package var pathPrefix: String
    /// Sequences the engine runs at once; nil: unknown.
    package var maximumSequences: Int?
    /// Tokens of one engine step; nil: unknown.
    package var batchTokens: Int?

    package init(url: String, host: String, port: Int, tls: EngineTLS? = nil, pathPrefix: String = "") {
        self.url = url
        self.host = host
        self.port = port
        self.tls = tls
        self.authorization = nil
        self.pathPrefix = pathPrefix
        self.maximumSequences = nil
        self.batchTokens = nil
    }

    /// Reads `http://host:port/prefix` or `https://…`; the port may be left out. Nil with a reason when it is not one.
    package static func parse(url text: String) -> Result<EndpointSpecification, URLFault> {
        let secure = text.hasPrefix("https://")
        guard secure || text.hasPrefix("http://") else {
            return .failure(URLFault("must start with http:// or https://"))
        }
        var rest = text.dropFirst(secure ? 8 : 7)
        while rest.hasSuffix("/") { rest = rest.dropLast() }
        // Bytes, not characters, of which one may be CR and LF together: all of this goes into request lines.
        guard rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && !"?#@".utf8.contains($0) }) else {
            return .failure(URLFault("must be ASCII without user, query, fragment, space or control characters"))
        }
        let authority = rest.prefix { $0 != "/" }
        let prefix = rest.dropFirst(authority.count)
        guard let (host, portText) = splitAuthority(authority), !host.isEmpty else {
            return .failure(URLFault("has no host"))
        }
        var port = secure ? 443 : 80
        if let portText {
            guard let number = Int(portText), (1...65_535).contains(number) else {
                return .failure(URLFault("port must be a number from 1 to 65535"))
            }
            port = number
        }
        let clean = (secure ? "https://" : "http://") + rest
        return .success(
            EndpointSpecification(
                url: clean, host: String(host), port: port, tls: secure ? EngineTLS() : nil, pathPrefix: String(prefix))
        )
    }

    private static func splitAuthority(_ authority: Substring) -> (host: Substring, port: Substring?)? {
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else { return nil }
            let host = authority[authority.index(after: authority.startIndex)..<close]
            let after = authority[authority.index(after: close)...]
            if after.isEmpty { return (host, nil) }
            return after.hasPrefix(":") ? (host, after.dropFirst()) : nil
        }
        guard let colon = authority.firstIndex(of: ":") else { return (authority, nil) }
        return (authority[..<colon], authority[authority.index(after: colon)...])
    }
}

/// Why a text is not an engine's URL.
package struct URLFault: Error, Sendable, Equatable {
    package var reason: String
    init(_ reason: String) { self.reason = reason }
}
