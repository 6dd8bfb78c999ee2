import Synchronization

/// Wakes one waiting task. Raised while nobody waits it stays raised; raised twice it wakes once.
final class Signal: Sendable {
    private struct State {
        var isRaised = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func raise() {
        let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
            if state.waiter == nil { state.isRaised = true }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    /// Returns when the signal is raised, or the task is cancelled. One task waits at a time.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mayGoOn = state.withLock { state in
                    precondition(state.waiter == nil, "two tasks wait for one signal")
                    if state.isRaised || Task.isCancelled {
                        state.isRaised = false
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if mayGoOn { continuation.resume() }
            }
        } onCancel: {
            let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}

/// Wakes every task that waits. Whoever waits has a signal of its own, so that nothing raised between its look and its
/// waiting is missed.
final class Waiters: Sendable {
    private let signals = Mutex<[ObjectIdentifier: Signal]>([:])

    func raise() { for signal in signals.withLock({ Array($0.values) }) { signal.raise() } }

    /// Waits until the condition holds, which is looked at once and after every `raise`, or the task is cancelled.
    func wait(until holds: () -> Bool) async {
        if holds() { return }
        let signal = Signal()
        signals.withLock { $0[ObjectIdentifier(signal)] = signal }
        while !holds() && !Task.isCancelled { await signal.wait() }
        signals.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(signal)) }
    }
}
