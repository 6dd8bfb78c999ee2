package import FleetTracking

/// The last picks, kept flat so that recording one allocates nothing. Memory: capacity × (72 + 16 × (16 + 4 × scorers))
/// bytes, about 0.5 MB for 1024 picks of three scorers.
package struct DecisionRing: Sendable {
    /// One pick's own numbers.
    struct Record: Sendable {
        var work = WorkID(home: 0, serial: 0)
        var attempt = 0
        var at = Instant.zero
        var chosen = EndpointID(0)
        var reason = PickReason.onlyCandidate
        var considered = 0
        var passed = 0
        var kept = 0
        var matchedTokens = 0
        var ignoredHealth = false
        var profile = 0
        var distrustedForecasts = false
        var firstTokenMilliseconds: Float = 0
        var interTokenMilliseconds: Float = 0
    }

    /// Candidates kept of each pick.
    package static let candidatesKept = 16

    private var records: [Record] = []
    private var endpoints: [Int32] = []
    private var totals: [Double] = []
    private var values: [Float] = []
    private var next = 0
    private let capacity: Int
    /// Scorers of the profile that has most.
    private let stride: Int
    /// Names and weights of each profile's scorers.
    private let scorers: [[(name: String, weight: Double)]]

    /// `profiles`: one for each pool; a record names its own by index.
    package init(capacity: Int, profiles: [PickProfile]) {
        self.capacity = max(0, capacity)
        scorers = profiles.map { profile in profile.scorers.map { ($0.scorer.name, $0.weight) } }
        stride = scorers.map(\.count).max() ?? 0
    }

    /// Begins a record; `keep` then adds its candidates.
    mutating func begin(_ record: Record) {
        guard capacity > 0 else { return }
        if records.count < capacity {
            records.append(record)
            endpoints.append(contentsOf: repeatElement(0, count: DecisionRing.candidatesKept))
            totals.append(contentsOf: repeatElement(0, count: DecisionRing.candidatesKept))
            values.append(contentsOf: repeatElement(0, count: DecisionRing.candidatesKept * stride))
            next = records.count - 1
        } else {
            next = (next + 1) % capacity
            records[next] = record
        }
    }

    /// Adds a candidate to the record begun last. `term` gives the value of each of the profile's scorers.
    mutating func keep(endpoint: EndpointID, total: Double, term: (_ scorer: Int) -> Double) {
        guard capacity > 0, records[next].kept < DecisionRing.candidatesKept else { return }
        let place = next * DecisionRing.candidatesKept + records[next].kept
        endpoints[place] = Int32(truncatingIfNeeded: endpoint.index)
        totals[place] = total
        for scorer in scorers[records[next].profile].indices { values[place * stride + scorer] = Float(term(scorer)) }
        records[next].kept += 1
    }

    /// The latest pick for this work; nil when it is forgotten or was never made.
    package func decision(for work: WorkID) -> PickDecision? {
        for step in records.indices {
            let index = (next - step + records.count) % records.count
            if records[index].work == work { return decision(at: index) }
        }
        return nil
    }

    private func decision(at index: Int) -> PickDecision {
        let record = records[index]
        let candidates = (0..<record.kept).map { kept in
            let place = index * DecisionRing.candidatesKept + kept
            let terms = scorers[record.profile].enumerated().map { scorer, entry in
                PickDecision.Term(
                    scorer: entry.name, value: Double(values[place * stride + scorer]), weight: entry.weight)
            }
            return PickDecision.Scored(endpoint: EndpointID(Int(endpoints[place])), terms: terms, total: totals[place])
        }
        return PickDecision(
            work: record.work, attempt: record.attempt, at: record.at, chosen: record.chosen, reason: record.reason,
            candidates: candidates.sorted { ($0.total, $1.endpoint) > ($1.total, $0.endpoint) },
            considered: record.considered, passed: record.passed, matchedTokens: record.matchedTokens,
            ignoredHealth: record.ignoredHealth, distrustedForecasts: record.distrustedForecasts,
            firstTokenMilliseconds: Double(record.firstTokenMilliseconds),
            interTokenMilliseconds: Double(record.interTokenMilliseconds))
    }
}
