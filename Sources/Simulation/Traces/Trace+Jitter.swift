import FleetTracking

extension Trace {
    /// The trace with its requests spread over the quantum (nanoseconds) that their stamps were rounded down to, so that
    /// those of one stamp do not come at once. Their order stays; same seed, same trace.
    package func spread(over quantum: Int64, seed: UInt64) -> Trace {
        guard quantum > 0 else { return self }
        var generator = SeededGenerator(seed: seed)
        var moved = requests
        var first = 0
        while first < moved.count {
            let start = moved[first].arrival - moved[first].arrival % quantum
            var next = first
            while next < moved.count, moved[next].arrival - start < quantum { next += 1 }
            // In ascending order: whoever came first still does.
            let offsets = (first..<next).map { _ in Int64(generator.unit() * Double(quantum)) }.sorted()
            for (index, offset) in zip(first..<next, offsets) { moved[index].arrival = start + offset }
            first = next
        }
        var trace = Trace(moved, jobs: jobs, blockTokens: blockTokens)
        trace.bytesPerToken = bytesPerToken
        return trace
    }
}
