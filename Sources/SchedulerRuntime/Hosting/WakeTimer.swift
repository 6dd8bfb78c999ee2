import FleetTracking
import NIOCore
import Synchronization

/// The scheduler's one timer: the earliest wish is armed, a later wish changes nothing.
final class WakeTimer: Sendable {
    private struct State {
        var armedFor = Instant.distantFuture
        var task: Scheduled<Void>?
        var isStopped = false
    }

    private let loop: any EventLoop
    private let state = Mutex(State())

    init(loop: any EventLoop) { self.loop = loop }

    /// Calls `fire` on the loop at `instant`, or at the earlier one that is armed already.
    func arm(at instant: Instant, now: Instant, fire: @escaping @Sendable () -> Void) {
        state.withLock { state in
            guard !state.isStopped, instant < state.armedFor else { return }
            state.task?.cancel()
            state.armedFor = instant
            let delay = max(0, (instant - now).wholeNanoseconds)
            state.task = loop.scheduleTask(in: .nanoseconds(delay)) {
                // A task that lost a race with an earlier wish finds another instant armed and leaves it alone.
                let isCurrent = self.state.withLock { state in
                    guard state.armedFor == instant else { return false }
                    state.armedFor = .distantFuture
                    state.task = nil
                    return true
                }
                if isCurrent { fire() }
            }
        }
    }

    func stop() {
        state.withLock { state in
            state.isStopped = true
            state.task?.cancel()
            state.task = nil
        }
    }
}
