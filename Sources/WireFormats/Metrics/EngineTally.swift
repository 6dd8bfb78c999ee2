/// The series of one engine family's page, gathered until the page ends.
struct EngineTally {
    private let limits: EngineMetrics.Limits
    var samples = 0
    var running = SeriesTally()
    var waiting = SeriesTally()
    var waitingByReason = SeriesTally()
    var kvUse = SeriesTally()
    var olderKVUse = SeriesTally()
    var queries = SeriesTally()
    var hits = SeriesTally()
    var olderQueries = SeriesTally()
    var olderHits = SeriesTally()
    var preemptions = SeriesTally()
    private var blockSize: Int?
    private var blocks: Int?

    init(_ limits: EngineMetrics.Limits) { self.limits = limits }

    /// Adds one rank's cache configuration, which is told in labels. "None" and other words mean absent.
    mutating func takeCache(
        _ sample: PrometheusSample, size: StaticString, blocks: StaticString, tokens: StaticString?
    ) {
        let size = believable(sample.label(size), limits.maximumBlockSize)
        blockSize = size ?? blockSize
        // With several kinds of cache in one model, blocks times size is not the capacity; the token count is.
        if let tokens, let size, let capacity = believable(sample.label(tokens), limits.maximumBlocks) {
            self.blocks = (self.blocks ?? 0) + max(1, capacity / size)
        } else if let count = believable(sample.label(blocks), limits.maximumBlocks) {
            self.blocks = (self.blocks ?? 0) + count
        }
    }

    func signals(_ kind: EngineFamily) -> EngineSignals {
        var signals = EngineSignals()
        signals.kind = kind
        signals.running = count(running.sum)
        signals.waiting = count(waiting.isEmpty ? waitingByReason.sum : waiting.sum)
        signals.kvUse = share((kvUse.isEmpty ? olderKVUse : kvUse).greatest)
        signals.blockSize = blockSize
        signals.blocks = blocks.flatMap { Double($0) <= limits.maximumBlocks ? $0 : nil }
        signals.prefixQueries = counter((queries.isEmpty ? olderQueries : queries).sum)
        signals.prefixHits = counter((hits.isEmpty ? olderHits : hits).sum)
        signals.preemptions = counter(preemptions.sum)
        return signals
    }

    private func believable(_ text: String?, _ maximum: Double) -> Int? {
        guard let text, text.utf8.count <= 24, let value = Int(text), value > 0, Double(value) <= maximum else {
            return nil
        }
        return value
    }

    private func count(_ value: Double?) -> Int? {
        guard let value, value <= limits.maximumSequences else { return nil }
        return Int(value)
    }

    /// A hair over 1 is rounding; more is a lie.
    private func share(_ value: Double?) -> Double? {
        guard let value, value <= 1.000_001 else { return nil }
        return min(1, value)
    }

    private func counter(_ value: Double?) -> Double? {
        guard let value, value <= limits.maximumCounter else { return nil }
        return value
    }
}

/// The values of one metric over its series. One value that cannot be true spoils the whole.
struct SeriesTally {
    private var total = 0.0
    private var isSpoilt = false
    /// Greatest value per rank, where a rank was named.
    private var ranks: [String: Double] = [:]
    private(set) var isEmpty = true
    private var maximum = 0.0

    /// More ranks than any server has; at the limit the metric is not believed.
    private static let maximumRanks = 4_096

    mutating func add(_ sample: PrometheusSample, rank: String? = nil) {
        isEmpty = false
        let value = sample.value
        guard value.isFinite, value >= 0 else {
            isSpoilt = true
            return
        }
        maximum = max(maximum, value)
        guard let rank else {
            total += value
            return
        }
        let before = ranks[rank] ?? 0
        // The rank counts with the greatest of its series.
        total += max(before, value) - before
        if ranks.count < SeriesTally.maximumRanks {
            ranks[rank] = max(before, value)
        } else if ranks[rank] == nil {
            isSpoilt = true
        }
    }

    /// Nil when there was no series, or one that cannot be true.
    var sum: Double? { isEmpty || isSpoilt || !total.isFinite ? nil : total }
    var greatest: Double? { isEmpty || isSpoilt ? nil : maximum }
}
