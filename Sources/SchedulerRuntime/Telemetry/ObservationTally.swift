import FleetTracking
import Scheduling

/// How well first tokens were predicted.
struct PredictionSums: Sendable {
    var count: UInt64 = 0
    /// Sum of the relative errors, each at most 2.
    var errors = 0.0

    /// Milliseconds.
    mutating func add(predicted: Double, took: Double) {
        count &+= 1
        errors += min(2, abs(took - predicted) / max(1e-3, took))
    }
}

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

    /// By pool and band; pools are few and dense.
    private var waits: [[Distribution?]] = []
    var retries: [PoolReason: UInt64] = [:]
    var retryBudgetSpent: [Int: UInt64] = [:]
    var ejections: [Int: UInt64] = [:]
    var restorations: [Int: UInt64] = [:]
    private var prompts: [PromptSums?] = []
    var predictions: [Int: PredictionSums] = [:]

    private struct PromptSums {
        var tokens: UInt64 = 0
        var matched: UInt64 = 0
    }

    mutating func record(_ observation: Observation) {
        switch observation {
        case .queueWait(let band, let pool, let wait):
            while waits.count <= pool.index { waits.append(Array(repeating: nil, count: Band.allCases.count)) }
            if waits[pool.index][band.rawValue] == nil {
                waits[pool.index][band.rawValue] = Distribution(bounds: MetricCatalogue.queueBounds)
            }
            waits[pool.index][band.rawValue]?.record(wait.seconds, bounds: MetricCatalogue.queueBounds)
        case .ejected(let endpoint): ejections[endpoint.index, default: 0] &+= 1
        case .restored(let endpoint): restorations[endpoint.index, default: 0] &+= 1
        case .retried(let pool, let failure):
            retries[PoolReason(pool: pool.index, reason: failure.label), default: 0] &+= 1
        case .retryBudgetSpent(let pool): retryBudgetSpent[pool.index, default: 0] &+= 1
        case .prefixMatch(let pool, let prompt, let matched):
            while prompts.count <= pool.index { prompts.append(nil) }
            var sums = prompts[pool.index] ?? PromptSums()
            sums.tokens &+= UInt64(max(0, prompt))
            sums.matched &+= UInt64(max(0, matched))
            prompts[pool.index] = sums
        case .firstToken(let pool, let predicted, let took):
            predictions[pool.index, default: PredictionSums()].add(predicted: predicted, took: took)
        }
    }

    /// What real-time and async works waited, for each pool and band that had any.
    var queueWait: [PoolBand: Distribution] {
        var found: [PoolBand: Distribution] = [:]
        for (pool, bands) in waits.enumerated() {
            for band in Band.allCases {
                if let wait = bands[band.rawValue] { found[PoolBand(pool: pool, band: band)] = wait }
            }
        }
        return found
    }

    /// Tokens of the prompts that were placed, by pool.
    var promptTokens: [Int: UInt64] { byPool(\.tokens) }
    /// Those of them that the engine was believed to hold.
    var matchedTokens: [Int: UInt64] { byPool(\.matched) }

    private func byPool(_ sum: KeyPath<PromptSums, UInt64>) -> [Int: UInt64] {
        var found: [Int: UInt64] = [:]
        for (pool, sums) in prompts.enumerated() { if let sums { found[pool] = sums[keyPath: sum] } }
        return found
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
