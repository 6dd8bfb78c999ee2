import DataPlane
import SchedulerRuntime
import WireFormats

/// What a pool's settings say about a line: the same rules, in the same words, as for a real-time request.
///
/// Held against a line twice: when its batch is validated, so that a mistake is told at once, and when it is sent,
/// because the settings may have changed or the model come to another pool since.
enum PoolRules {
    /// Why the pool does not take the line; nil: it does.
    static func refusal(of scan: RequestScan, path: String, by pool: PoolEntry) -> Refusal? {
        guard pool.allowedPaths.contains(path) else {
            var refusal = StatusTable.pathNotServed(path, model: scan.model, pool: pool.name)
            refusal.parameter = "url"
            return refusal
        }
        guard scan.priority != nil, pool.clientPriority == .refuse else { return nil }
        var refusal = StatusTable.priorityRefused
        refusal.parameter = "body.priority"
        return refusal
    }

    /// The body as the pool's engines are to see it.
    static func sent(_ body: [UInt8], _ scan: RequestScan, by pool: PoolEntry) -> [UInt8] {
        guard scan.priority != nil, case .overwrite(let value) = pool.clientPriority else { return body }
        return body.withUnsafeBytes { scan.overwritingPriority(value).apply(to: $0) }
    }
}
