/// A point on a monotonic axis, in nanoseconds since an origin that the host chooses.
///
/// The core never reads a clock: every decision takes `now` as an argument, so that the same code runs live
/// (monotonic clock) and in virtual time. Wall-clock time appears only at the edges (API objects, logs).
package struct Instant: Hashable, Comparable, Sendable {
    package var nanoseconds: Int64

    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    package static let zero = Instant(nanoseconds: 0)
    package static let distantFuture = Instant(nanoseconds: .max)

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// Saturates at the ends of the axis instead of trapping, so that a huge configured duration is harmless.
    package static func + (instant: Instant, duration: Duration) -> Instant {
        let (sum, overflow) = instant.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return Instant(nanoseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    package static func - (instant: Instant, duration: Duration) -> Instant { instant + (.zero - duration) }

    package static func - (left: Instant, right: Instant) -> Duration {
        let (difference, overflow) = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        return .nanoseconds(overflow ? (left < right ? .min : .max) : difference)
    }
}

// For what is computed with every request and report: a `Duration` is made and read with 128-bit arithmetic.
extension Instant {
    /// Saturates.
    package func nanoseconds(since other: Instant) -> Int64 {
        let (difference, overflow) = nanoseconds.subtractingReportingOverflow(other.nanoseconds)
        return overflow ? (self < other ? .min : .max) : difference
    }

    package func milliseconds(since other: Instant) -> Double { Double(nanoseconds(since: other)) / 1e6 }

    /// Saturates.
    package func adding(nanoseconds added: Int64) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(added)
        return Instant(nanoseconds: overflow ? (added < 0 ? .min : .max) : sum)
    }
}

extension Duration {
    /// The duration in nanoseconds, saturated to what an `Int64` holds (about 292 years).
    package var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflow { return seconds < 0 ? .min : .max }
        let (total, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        return carry ? (seconds < 0 ? .min : .max) : total
    }

    /// The duration as seconds, for metrics, logs and rates.
    package var seconds: Double { Double(wholeNanoseconds) / 1e9 }

    /// The duration as milliseconds, for metrics, logs and rates.
    package var milliseconds: Double { Double(wholeNanoseconds) / 1e6 }
}
