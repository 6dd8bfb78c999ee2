import FleetTracking
import FlowControl

/// What was counted of the requests of one pool, model and band.
struct RequestTally: Sendable {
    struct Key: Hashable, Sendable {
        /// -1: the request was refused before its pool was known; its model is then not told apart.
        var pool: Int
        var band: Band
        var model: String
    }

    struct Ending: Hashable, Sendable {
        var outcome: Outcome
        var status: Int
    }

    var endings: [(ending: Ending, count: UInt64)] = []
    var timeToFirstToken = Distribution(bounds: MetricCatalogue.firstTokenBounds)
    var timePerOutputToken = Distribution(bounds: MetricCatalogue.perTokenBounds)
    var duration = Distribution(bounds: MetricCatalogue.durationBounds)
    var promptTokens: UInt64 = 0
    var cachedTokens: UInt64 = 0
    var outputTokens: UInt64 = 0
    var receivedBytes: UInt64 = 0
    var sentBytes: UInt64 = 0

    mutating func record(_ record: RequestRecord) {
        count(Ending(outcome: record.outcome, status: record.status), 1)
        duration.record(record.arrivedAt.seconds(until: record.endedAt), bounds: MetricCatalogue.durationBounds)
        promptTokens &+= UInt64(max(0, record.promptTokens ?? 0))
        cachedTokens &+= UInt64(max(0, record.cachedTokens ?? 0))
        outputTokens &+= UInt64(max(0, record.outputTokens ?? 0))
        receivedBytes &+= UInt64(max(0, record.bytesIn))
        sentBytes &+= UInt64(max(0, record.bytesOut))
        guard let first = record.firstByteAt, record.status == 200 else { return }
        timeToFirstToken.record(record.arrivedAt.seconds(until: first), bounds: MetricCatalogue.firstTokenBounds)
        guard record.streamed, let tokens = record.outputTokens, tokens > 1 else { return }
        let perToken = first.seconds(until: record.endedAt) / Double(tokens - 1)
        timePerOutputToken.record(perToken, bounds: MetricCatalogue.perTokenBounds)
    }

    mutating func add(_ other: RequestTally) {
        for (ending, more) in other.endings { count(ending, more) }
        timeToFirstToken.add(other.timeToFirstToken)
        timePerOutputToken.add(other.timePerOutputToken)
        duration.add(other.duration)
        promptTokens &+= other.promptTokens
        cachedTokens &+= other.cachedTokens
        outputTokens &+= other.outputTokens
        receivedBytes &+= other.receivedBytes
        sentBytes &+= other.sentBytes
    }

    /// A handful of different endings for each key: a scan beats a dictionary.
    private mutating func count(_ ending: Ending, _ more: UInt64) {
        if let index = endings.firstIndex(where: { $0.ending == ending }) {
            endings[index].count &+= more
        } else {
            endings.append((ending, more))
        }
    }
}

extension Instant {
    /// A difference in seconds without a `Duration` between, whose 128-bit numbers cost more than all else here.
    fileprivate func seconds(until later: Instant) -> Double {
        Double(later.nanoseconds &- nanoseconds) / 1e9
    }
}

/// What was counted of one tenant's requests in one band.
struct TenantTally: Sendable {
    struct Key: Hashable, Sendable {
        var tenant: String
        var band: Band
    }

    var requests: UInt64 = 0
    var promptTokens: UInt64 = 0
    var outputTokens: UInt64 = 0

    mutating func record(_ record: RequestRecord) {
        requests &+= 1
        promptTokens &+= UInt64(max(0, record.promptTokens ?? 0))
        outputTokens &+= UInt64(max(0, record.outputTokens ?? 0))
    }

    mutating func add(_ other: TenantTally) {
        requests &+= other.requests
        promptTokens &+= other.promptTokens
        outputTokens &+= other.outputTokens
    }
}
