import FleetTracking

/// Which endpoint each prompt block was last sent to, for pools too large to ask every endpoint: one entry for each
/// place, newer ones replace older. 768 KB for each such pool, fixed.
struct RecentHolders: Sendable {
    private var hashes: [UInt64] = []
    private var endpoints: [Int32] = []

    private static let slots = 1 << 16

    mutating func insert(_ chain: [PrefixBlock], on endpoint: EndpointID) {
        if hashes.isEmpty {
            hashes = Array(repeating: 0, count: RecentHolders.slots)
            endpoints = Array(repeating: -1, count: RecentHolders.slots)
        }
        for block in chain {
            let slot = Int(truncatingIfNeeded: block.hash) & (RecentHolders.slots - 1)
            hashes[slot] = block.hash
            endpoints[slot] = Int32(truncatingIfNeeded: endpoint.index)
        }
    }

    /// The endpoints that the deepest blocks of this chain were last sent to, deepest first; at most `limit`. An
    /// endpoint may have left its pool since: `isServer` says which count.
    func holders(of chain: [PrefixBlock], limit: Int, into found: inout [Int], isServer: (Int) -> Bool) {
        guard !hashes.isEmpty else { return }
        for block in chain.reversed() {
            let slot = Int(truncatingIfNeeded: block.hash) & (RecentHolders.slots - 1)
            guard hashes[slot] == block.hash, endpoints[slot] >= 0 else { continue }
            let endpoint = Int(endpoints[slot])
            if !found.contains(endpoint), isServer(endpoint) { found.append(endpoint) }
            if found.count >= limit { return }
        }
    }
}
