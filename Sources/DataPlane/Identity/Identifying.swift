/// Tells who sends a request, from its credentials.
package protocol Identifying: Sendable {
    /// - Parameters:
    ///   - authorization: the `Authorization` header; only the `Bearer` scheme is understood.
    ///   - apiKey: the `x-api-key` header, which Anthropic's clients send. Looked at when the first names no key.
    /// - Returns: nil when a key is needed and none that is known was given: answer 401.
    func identify(authorization: String?, apiKey: String?) -> Identity?
}

/// No keys are configured: everybody is the one tenant "" and may do everything.
package struct AnyKey: Identifying {
    package init() {}
    package func identify(authorization: String?, apiKey: String?) -> Identity? { Identity() }
}

extension Identity {
    /// Somebody without a key on a path that needs none.
    package static let stranger = Identity(tenant: "", isTrusted: false, isAdmin: false)
}

/// The paths that answer without a key even when keys are configured: what a probe, a scraper or a browser asks first.
/// The page holds no data by itself; what it shows comes from `/admin/live`, which needs an admin key.
package enum OpenPath {
    /// `path` without its query.
    package static func contains(_ path: some StringProtocol) -> Bool {
        switch path {
        case "/", "/livez", "/readyz", "/metrics", "/version", "/favicon.ico": true
        default: false
        }
    }
}

/// The paths that are answered although clients hold all connections: what decides whether the process lives, and what
/// tells why.
enum ReservedPath {
    /// `path` without its query.
    static func contains(_ path: String) -> Bool { path == "/livez" || path == "/readyz" || path == "/metrics" }
}
