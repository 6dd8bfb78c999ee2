package import FleetTracking
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Turns instants of the monotonic axis into wall-clock time for logs and API objects.
///
/// The offset is taken anew with `refresh` (the log's writer does so at each flush), so that a stepped system clock
/// shows in the log within a tenth of a second and a line costs no second clock reading.
package final class WallClock: Sendable {
    private let monotonic: MonotonicClock
    private let readWall: @Sendable () -> Int64
    private let offset: Atomic<Int64>

    /// `readWall` gives nanoseconds since 1970; nil: the system's clock.
    package init(monotonic: MonotonicClock = .system, readWall: (@Sendable () -> Int64)? = nil) {
        self.monotonic = monotonic
        self.readWall = readWall ?? WallClock.systemNanoseconds
        offset = Atomic(self.readWall() &- monotonic.now().nanoseconds)
    }

    package func refresh() { offset.store(readWall() &- monotonic.now().nanoseconds, ordering: .relaxed) }

    /// Nanoseconds since 1970 at this instant.
    package func nanoseconds(at instant: Instant) -> Int64 {
        instant.nanoseconds &+ offset.load(ordering: .relaxed)
    }

    /// Whole seconds since 1970, now.
    package func unixSeconds() -> Int64 { readWall() / 1_000_000_000 }

    /// The system's civil time, in milliseconds since 1970.
    package static func systemMilliseconds() -> Int64 { systemNanoseconds() / 1_000_000 }

    private static func systemNanoseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
