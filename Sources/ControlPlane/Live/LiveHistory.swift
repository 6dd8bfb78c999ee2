import WireFormats

/// Tokens per second by band over the last minutes, one point per tick. What a viewer that joins sees first.
struct LiveHistory: Sendable {
    struct Point: Sendable, Equatable {
        /// Milliseconds since 1970.
        var time: Int
        /// Output tokens per second.
        var realtime: Double
        var async: Double
    }

    /// Five minutes at one tick per second.
    static let capacity = 300

    private(set) var points: [Point] = []
    private var last: (tokens: BandCounts, time: Int)?

    /// Takes the counters of now; a rate needs two.
    mutating func add(_ tokens: BandCounts, time: Int) {
        defer { last = (tokens, time) }
        guard let last, time > last.time else { return }
        let seconds = Double(time - last.time) / 1_000
        let rate = { (now: Int, before: Int) -> Double in
            (max(0, Double(now) - Double(before)) / seconds * 10).rounded() / 10
        }
        points.append(
            Point(
                time: time, realtime: rate(tokens.realtime, last.tokens.realtime),
                async: rate(tokens.async, last.tokens.async)))
        if points.count > LiveHistory.capacity { points.removeFirst(points.count - LiveHistory.capacity) }
    }
}

extension LiveHistory.Point {
    /// `[milliseconds, real-time, async]`
    func write(to json: inout JSONText) {
        json.array {
            $0.value(time)
            $0.value(realtime)
            $0.value(async)
        }
    }
}
