/// How long answers are, by model and by flow (a tenant's requests to a model), from those that ended.
///
/// Fixed memory: a table of 4096 places, 64 KB for each pool; a flow that finds its place taken by one still in use is
/// not remembered, and its model's answers stand for its own.
package struct OutputLengths: Sendable {
    private struct Place: Sendable {
        var key: UInt64 = 0
        var mean: Float = 0
        var count: UInt16 = 0
        /// Falls when another key asks for the place, rises with use.
        var hold: UInt16 = 0
    }

    private var places = Array(repeating: Place(), count: OutputLengths.limit)

    private static let limit = 4096
    /// Answers before a mean is believed.
    private static let fewest: UInt16 = 4
    /// The mean is over about so many answers.
    private static let memory: UInt16 = 64
    private static let longestHold: UInt16 = 64

    package init() {}

    /// An answer ended by itself, after so many tokens.
    package mutating func learn(_ tokens: Int, model: ModelID, tenant: TenantID) {
        guard tokens > 0 else { return }
        let length = Float(min(tokens, 1 << 24))
        add(length, to: OutputLengths.key(model, nil))
        add(length, to: OutputLengths.key(model, tenant))
    }

    /// What to expect, tokens; nil: nothing is known.
    package func expected(model: ModelID, tenant: TenantID) -> Int? {
        let mean = mean(of: OutputLengths.key(model, tenant)) ?? mean(of: OutputLengths.key(model, nil))
        return mean.map { max(1, Int($0.rounded())) }
    }

    private func mean(of key: UInt64) -> Float? {
        let place = places[OutputLengths.slot(of: key)]
        return place.key == key && place.count >= OutputLengths.fewest ? place.mean : nil
    }

    private mutating func add(_ length: Float, to key: UInt64) {
        let slot = OutputLengths.slot(of: key)
        if places[slot].key != key {
            guard places[slot].hold == 0 else {
                places[slot].hold -= 1
                return
            }
            places[slot] = Place(key: key)
        }
        places[slot].count = min(places[slot].count + 1, OutputLengths.memory)
        places[slot].hold = min(places[slot].hold + 1, OutputLengths.longestHold)
        places[slot].mean += (length - places[slot].mean) / Float(places[slot].count)
    }

    private static func slot(of key: UInt64) -> Int { Int(truncatingIfNeeded: key & UInt64(limit - 1)) }

    /// Never 0, which marks a free place. Spread, so that tenants, whose numbers follow each other, do not crowd.
    private static func key(_ model: ModelID, _ tenant: TenantID?) -> UInt64 {
        let flow = tenant.map { UInt64(truncatingIfNeeded: $0.index) &+ 1 } ?? 0
        return SeededGenerator.mix(SeededGenerator.mix(UInt64(truncatingIfNeeded: model.index)) ^ flow) | 1 << 63
    }
}
