/// A point in civil time: milliseconds since 1970-01-01T00:00:00Z.
///
/// Jobs outlive processes, so their deadlines cannot be on the monotonic axis of `Instant`. Nothing here reads a
/// clock: `now` is always an argument.
package struct WallTime: Hashable, Comparable, Sendable {
    package var milliseconds: Int64

    package init(milliseconds: Int64) { self.milliseconds = milliseconds }
    package init(seconds: Int64) {
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        milliseconds = overflow ? (seconds < 0 ? .min : .max) : scaled
    }

    package static let distantFuture = WallTime(milliseconds: .max)

    /// Whole Unix seconds, as API objects show times.
    package var seconds: Int64 { milliseconds / 1000 }

    package static func < (left: WallTime, right: WallTime) -> Bool { left.milliseconds < right.milliseconds }

    /// Saturates at the ends of the axis; parts of a millisecond are cut off.
    package static func + (time: WallTime, duration: Duration) -> WallTime {
        let (sum, overflow) = time.milliseconds.addingReportingOverflow(duration.wholeMilliseconds)
        return WallTime(milliseconds: overflow ? (duration < .zero ? .min : .max) : sum)
    }

    package static func - (left: WallTime, right: WallTime) -> Duration {
        let (difference, overflow) = left.milliseconds.subtractingReportingOverflow(right.milliseconds)
        return .milliseconds(overflow ? (left < right ? .min : .max) : difference)
    }
}

extension Duration {
    /// The duration in milliseconds, cut towards zero and saturated to what an `Int64` holds.
    package var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        if overflow { return seconds < 0 ? .min : .max }
        let (total, carry) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000_000_000)
        return carry ? (seconds < 0 ? .min : .max) : total
    }
}
