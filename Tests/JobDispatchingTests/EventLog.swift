import Synchronization

/// What happened so far, in order, and a way to wait for more of it.
final class EventLog<Element: Sendable>: Sendable {
    private struct State {
        var events: [Element] = []
        var waiters: [(isEnough: @Sendable ([Element]) -> Bool, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    var all: [Element] { state.withLock { $0.events } }

    func add(_ event: Element) {
        let ready = state.withLock { state in
            state.events.append(event)
            let events = state.events
            let ready = state.waiters.filter { $0.isEnough(events) }.map(\.continuation)
            state.waiters.removeAll { $0.isEnough(events) }
            return ready
        }
        for continuation in ready { continuation.resume() }
    }

    /// Returns when the events so far are enough.
    func wait(until isEnough: @escaping @Sendable ([Element]) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if isEnough(state.events) { return true }
                state.waiters.append((isEnough, continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
    }
}
