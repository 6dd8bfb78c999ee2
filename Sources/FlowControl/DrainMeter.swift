package import FleetTracking

/// How fast works leave: counts of the last eight whole seconds, which is what an honest `Retry-After` rests on.
package struct DrainMeter: Sendable {
    private var counts = SIMD8<Int32>(repeating: 0)
    /// The second (since the axis' origin) that the newest count stands for.
    private var newest: Int64 = .min
    private var oldest: Int64 = .min

    package init() {}

    package mutating func record(at now: Instant) {
        advance(to: now)
        counts[DrainMeter.place(newest)] &+= 1
    }

    /// Works per second over the last eight seconds, the running one included; 0 when none left.
    package mutating func perSecond(at now: Instant) -> Double {
        guard newest != .min else { return 0 }
        advance(to: now)
        let fraction = Double(now.nanoseconds - newest &* 1_000_000_000) / 1e9
        let seconds = Double(min(7, newest - oldest)) + max(0.1, fraction)
        return Double(counts.wrappedSum()) / seconds
    }

    private mutating func advance(to now: Instant) {
        let second = DrainMeter.second(of: now)
        if newest == .min {
            newest = second
            oldest = second
        }
        guard second > newest else { return }
        for passed in 0..<min(8, second - newest) { counts[DrainMeter.place(second - passed)] = 0 }
        newest = second
    }

    private static func second(of instant: Instant) -> Int64 {
        let (quotient, remainder) = instant.nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    private static func place(_ second: Int64) -> Int { Int(second & 7) }
}
