import FleetTracking
import Scheduling

/// The scheduler's own figures, counted.
struct ObservationTally: Sendable {
    struct PoolBand: Hashable, Sendable {
        var pool: Int
        var band: Band
    }

    struct PoolReason: Hashable, Sendable {
        var pool: Int
        var reason: String
    }

    var queueWait: [PoolBand: Distribution] = [:]
    var retries: [PoolReason: UInt64] = [:]
    var retryBudgetSpent: [Int: UInt64] = [:]
    var ejections: [Int: UInt64] = [:]
    var restorations: [Int: UInt64] = [:]
    var promptTokens: [Int: UInt64] = [:]
    var matchedTokens: [Int: UInt64] = [:]

    mutating func record(_ observation: Observation) {
        switch observation {
        case .queueWait(let band, let pool, let wait):
            let key = PoolBand(pool: pool.index, band: band)
            queueWait[key, default: Distribution(bounds: MetricCatalogue.queueBounds)]
                .record(wait.seconds, bounds: MetricCatalogue.queueBounds)
        case .ejected(let endpoint): ejections[endpoint.index, default: 0] &+= 1
        case .restored(let endpoint): restorations[endpoint.index, default: 0] &+= 1
        case .retried(let pool, let failure):
            retries[PoolReason(pool: pool.index, reason: failure.label), default: 0] &+= 1
        case .retryBudgetSpent(let pool): retryBudgetSpent[pool.index, default: 0] &+= 1
        case .prefixMatch(let pool, let prompt, let matched):
            promptTokens[pool.index, default: 0] &+= UInt64(max(0, prompt))
            matchedTokens[pool.index, default: 0] &+= UInt64(max(0, matched))
        }
    }
}

extension AttemptFailure {
    /// The metric label and log field.
    package var label: String {
        switch self {
        case .connect: "connect"
        case .full: "full"
        case .reset: "reset"
        case .firstByteTimeout: "first_byte_timeout"
        case .truncated: "truncated"
        case .idleTimeout: "idle_timeout"
        case .protocolError: "protocol_error"
        }
    }
}
