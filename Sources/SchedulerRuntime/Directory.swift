package import FleetTracking

/// Who is behind the dense ids: pools, endpoints, models. An immutable snapshot; replaced as a whole on reload.
package struct Directory: Sendable {
    /// By `PoolID.index`.
    package var pools: [PoolEntry]
    /// By `EndpointID.index`; nil once the endpoint is gone and its last work ended.
    package var endpoints: [EndpointEntry?]
    /// By the name requests use.
    package var models: [String: ModelEntry]
    /// An endpoint has not said yet which models it serves, so there may be more than `models`.
    package var awaitsModels: Bool

    package init(
        pools: [PoolEntry] = [], endpoints: [EndpointEntry?] = [], models: [String: ModelEntry] = [:],
        awaitsModels: Bool = false
    ) {
        self.pools = pools
        self.endpoints = endpoints
        self.models = models
        self.awaitsModels = awaitsModels
    }
}

package struct PoolEntry: Sendable {
    package var id: PoolID
    package var name: String
    /// Engine paths that clients may POST to in this pool.
    package var allowedPaths: Set<String>
    /// What becomes of a client's `priority` field.
    package var clientPriority: ClientPriority
    /// The longest a real-time request may wait for room.
    package var realtimeTimeToLive: Duration
    /// Assumed output tokens of a request that names no limit.
    package var expectedOutputTokens: Int

    package init(
        id: PoolID, name: String, allowedPaths: Set<String>, clientPriority: ClientPriority = .pass,
        realtimeTimeToLive: Duration = .seconds(30), expectedOutputTokens: Int = 256
    ) {
        self.id = id
        self.name = name
        self.allowedPaths = allowedPaths
        self.clientPriority = clientPriority
        self.realtimeTimeToLive = realtimeTimeToLive
        self.expectedOutputTokens = expectedOutputTokens
    }
}

/// What becomes of a client's `priority` field in the body.
package enum ClientPriority: Sendable, Equatable {
    /// Goes to the engine untouched.
    case pass
    /// 400 to the client.
    case refuse
    /// Its value is replaced by this number.
    case overwrite(Int)
}

package struct EndpointEntry: Sendable {
    package var id: EndpointID
    package var pool: PoolID
    /// As configured, without a trailing slash; the name in logs, metrics and the admin API.
    package var url: String
    package var host: String
    package var port: Int
    /// Nil: plain HTTP.
    package var tls: EngineTLS?
    /// Value of the `Authorization` header sent to this engine, if any.
    package var authorization: String?
    /// Put before every path ("" or "/prefix").
    package var pathPrefix: String
    /// As learned from its metrics; `unknown` until then, and for an engine that shows none.
    package var kind: EngineKind

    package init(
        id: EndpointID, pool: PoolID, url: String, host: String, port: Int, tls: EngineTLS? = nil,
        authorization: String? = nil, pathPrefix: String = "", kind: EngineKind = .unknown
    ) {
        self.id = id
        self.pool = pool
        self.url = url
        self.host = host
        self.port = port
        self.tls = tls
        self.authorization = authorization
        self.pathPrefix = pathPrefix
        self.kind = kind
    }
}

/// How to trust an `https://` engine.
package struct EngineTLS: Sendable, Hashable {
    /// PEM file with the authorities to trust; nil: the system's.
    package var authorityFile: String?
    package init(authorityFile: String? = nil) { self.authorityFile = authorityFile }
}

package struct ModelEntry: Sendable {
    package var id: ModelID
    package var pool: PoolID
    /// The engine's own record of the model (id, root, parent, max_model_len), as JSON text, for `GET /v1/models`.
    package var record: String

    package init(id: ModelID, pool: PoolID, record: String) {
        self.id = id
        self.pool = pool
        self.record = record
    }
}
