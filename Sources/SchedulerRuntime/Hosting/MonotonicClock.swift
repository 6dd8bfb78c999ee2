package import FleetTracking
import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Where adapters take `now` from: the monotonic axis, in nanoseconds since the machine started.
///
/// Injected, so that a test moves time by hand. Core rooms never see it: they are given the `Instant`.
package struct MonotonicClock: Sendable {
    private let read: (@Sendable () -> Instant)?

    private init(read: (@Sendable () -> Instant)?) { self.read = read }

    /// The machine's own monotonic clock; reading it takes about 25 ns.
    package static let system = MonotonicClock(read: nil)

    /// A clock that tells what `read` says, which must never go back.
    package static func reading(_ read: @escaping @Sendable () -> Instant) -> MonotonicClock {
        MonotonicClock(read: read)
    }

    package func now() -> Instant {
        if let read { return read() }
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Instant(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }
}

/// A clock that stands still until it is moved: for tests and rehearsals.
package final class ManualClock: Sendable {
    private let time: Mutex<Instant>

    package init(start: Instant = .zero) { time = Mutex(start) }

    package var clock: MonotonicClock { .reading { self.time.withLock { $0 } } }

    package func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}
