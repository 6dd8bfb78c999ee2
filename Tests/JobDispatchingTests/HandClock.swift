import FleetTracking
import JobDispatching
import JobLifecycle
import Synchronization

/// A clock that is moved by hand; sleepers wake when it passes their time.
final class HandClock: Sendable {
    private struct State {
        var now = WallTime(seconds: 1_800_000_000)
        var sleepers: [Int: (until: WallTime, continuation: CheckedContinuation<Void, Never>)] = [:]
        var serial = 0
    }

    private let state = Mutex(State())

    var now: WallTime { state.withLock { $0.now } }

    var clock: FeederClock {
        FeederClock(
            wall: { self.now },
            monotonic: { Instant(nanoseconds: (self.now.milliseconds - 1_800_000_000_000) * 1_000_000) },
            sleep: { try await self.rest(until: $0) })
    }

    func advance(by duration: Duration) {
        let due = state.withLock { state in
            state.now = state.now + duration
            let now = state.now
            let due = state.sleepers.filter { $0.value.until <= now }
            for serial in due.keys { state.sleepers[serial] = nil }
            return due.values.map(\.continuation)
        }
        for continuation in due { continuation.resume() }
    }

    private func rest(until: WallTime) async throws {
        let serial = state.withLock { state in
            state.serial += 1
            return state.serial
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.now >= until || Task.isCancelled { return true }
                    state.sleepers[serial] = (until, continuation)
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.sleepers.removeValue(forKey: serial) }?.continuation.resume()
        }
        try Task.checkCancellation()
    }
}
