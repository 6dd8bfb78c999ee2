import FleetTracking
import NIOCore
import SchedulerRuntime

/// What one endpoint said when it was asked once.
struct EndpointFinding: Sendable {
    var pool: String
    var url: String
    /// Nil: well. Else why not.
    var fault: String?
    var models: String
    var metrics: String
    var isWell: Bool { fault == nil }
}

/// Asks each endpoint of a configuration for its health, models and metrics; all endpoints at once.
struct EndpointCheck: Sendable {
    let settings: WatchSettings
    let loop: any EventLoop

    func run(_ pools: [PoolDescription]) async -> [EndpointFinding] {
        let work = pools.enumerated().flatMap { index, pool in
            pool.endpoints.map { (pool: pool.name, entry: EndpointEntry($0, id: EndpointID(0), pool: PoolID(index))) }
        }
        return await withTaskGroup(of: (Int, EndpointFinding).self) { group in
            for (number, item) in work.enumerated() {
                group.addTask { (number, await check(item.pool, item.entry)) }
            }
            var findings: [(Int, EndpointFinding)] = []
            for await finding in group { findings.append(finding) }
            return findings.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func check(_ pool: String, _ entry: EndpointEntry) async -> EndpointFinding {
        var finding = EndpointFinding(pool: pool, url: entry.url, fault: nil, models: "-", metrics: "-")
        let reader: EngineReader
        do {
            reader = try EngineReader(endpoint: entry, settings: settings, loop: loop)
        } catch {
            finding.fault = "TLS settings: \(error)"
            return finding
        }
        defer { reader.close() }
        if case .unhealthy(let reason) = await reader.health() {
            finding.fault = "health: \(reason)"
            return finding
        }
        switch await reader.models() {
        case .listed(let models): finding.models = CheckTable.models(models.map(\.name))
        case .absent: finding.models = "none told"
        case .failed(let reason): finding.fault = "models: \(reason)"
        }
        switch await reader.metrics(clock: .system) {
        case .sampled(let kind, _): finding.metrics = kind.rawValue
        case .absent(let reason): finding.metrics = "own accounting only (\(reason))"
        case .failed(let reason): finding.metrics = "failed: \(reason)"
        }
        return finding
    }
}
