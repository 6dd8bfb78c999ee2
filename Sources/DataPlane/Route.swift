import FleetTracking
import SchedulerRuntime

/// What the directory says about requests for one model on one path.
final class Route {
    let model: ModelID
    let pool: PoolID
    let poolName: String
    /// The pool's clients may POST to this path.
    let isAllowed: Bool
    let clientPriority: ClientPriority
    let realtimeTimeToLive: Duration
    let expectedOutputTokens: Int

    private init(_ model: ModelEntry, _ pool: PoolEntry, path: String) {
        self.model = model.id
        self.pool = pool.id
        poolName = pool.name
        isAllowed = pool.allowedPaths.contains(path)
        clientPriority = pool.clientPriority
        realtimeTimeToLive = pool.realtimeTimeToLive
        expectedOutputTokens = pool.expectedOutputTokens
    }

    /// Nil: no pool serves the model.
    static func find(model: String, path: String, in directory: Directory) -> Route? {
        guard let entry = directory.models[model], let pool = directory.pool(entry.pool) else { return nil }
        return Route(entry, pool, path: path)
    }
}

/// The route of the last request of a loop: most ask for the same model on the same path, and comparing two names costs
/// less than hashing them three times.
struct RouteMemo {
    private var version = -1
    private var model = ""
    private var path = ""
    private var route: Route?

    /// Nil: no pool serves the model.
    mutating func route(model: String, path: String, _ directory: DirectoryHolder) -> Route? {
        let version = directory.version
        if version == self.version, model == self.model, path == self.path { return route }
        (self.version, self.model, self.path) = (version, model, path)
        route = Route.find(model: model, path: path, in: directory.current)
        return route
    }
}
