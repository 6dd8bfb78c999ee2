import Synchronization

/// What happened so far, in order, and a way to wait for more of it.
final class EventLog<Element: Sendable>: Sendable {
    private struct Waiter {
        var isEnough: @Sendable ([Element]) -> Bool
        var continuation: CheckedContinuation<Void, Never>
    }

    private struct State {
        var events: [Element] = []
        var waiters: [Int: Waiter] = [:]
        var serial = 0
    }

    private let state = Mutex(State())

    var all: [Element] { state.withLock { $0.events } }

    func add(_ event: Element) {
        let ready = state.withLock { state in
            state.events.append(event)
            let ready = state.waiters.filter { $0.value.isEnough(state.events) }
            for serial in ready.keys { state.waiters[serial] = nil }
            return ready.values.map(\.continuation)
        }
        for continuation in ready { continuation.resume() }
    }

    /// Returns when the events so far are enough, or the task is cancelled: a test over its time limit must end.
    func wait(until isEnough: @escaping @Sendable ([Element]) -> Bool) async {
        let serial = state.withLock { state in
            state.serial += 1
            return state.serial
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = state.withLock { state in
                    if Task.isCancelled || isEnough(state.events) { return true }
                    state.waiters[serial] = Waiter(isEnough: isEnough, continuation: continuation)
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: serial) }?.continuation.resume()
        }
    }
}
