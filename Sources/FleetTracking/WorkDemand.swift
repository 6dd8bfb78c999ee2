/// What one piece of work asks of an endpoint.
package struct WorkDemand: Sendable, Equatable {
    package var band: Band
    package var sequences: Int
    package var promptTokens: Int
    package var expectedOutputTokens: Int
    /// Its tokens come one by one, so that what comes back tells when its prefill ended.
    package var isStream = true

    /// Values are brought into range, so that sums over any number of works cannot overflow.
    package init(band: Band, sequences: Int, promptTokens: Int, expectedOutputTokens: Int) {
        self.band = band
        self.sequences = min(max(1, sequences), WorkDemand.limit)
        self.promptTokens = min(max(0, promptTokens), WorkDemand.limit)
        self.expectedOutputTokens = min(max(0, expectedOutputTokens), WorkDemand.limit)
    }

    private static let limit = 1 << 26

    /// KV tokens it may come to hold: the prompt once, the expected output for every sequence.
    package var reservedTokens: Int { promptTokens + min(expectedOutputTokens * sequences, 1 << 40) }
}

/// Our own work of one band on one endpoint.
package struct BandLoad: Sendable, Equatable {
    package var works = 0
    package var sequences = 0
    /// KV tokens that the works may come to hold.
    package var reservedTokens = 0

    package init() {}

    package mutating func add(_ demand: WorkDemand) {
        works += 1
        sequences += demand.sequences
        reservedTokens += demand.reservedTokens
    }

    package mutating func remove(_ demand: WorkDemand) {
        works -= 1
        sequences -= demand.sequences
        reservedTokens -= demand.reservedTokens
    }
}
