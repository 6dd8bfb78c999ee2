import NIOCore
import Synchronization

/// The effects waiting for one event loop, in decision order.
///
/// Appended to under the scheduler's lock, emptied on the loop without it. The two locks are only ever taken in that
/// order, and `receive` is called with none held.
final class EffectMailbox: Sendable {
    private struct State {
        var pending: [WorkEffect] = []
        /// An emptied buffer whose memory is used again.
        var spare: [WorkEffect] = []
        var home: (any WorkHome)?
        /// True while `drain` runs on the loop: a nested or foreign delivery then has nothing to do.
        var isDraining = false
        /// True while a drain is queued on the loop.
        var isScheduled = false

        /// What is pending; with it the drain begins or goes on, without it the drain ends.
        mutating func take() -> (home: any WorkHome, effects: [WorkEffect])? {
            guard let home, !pending.isEmpty else {
                isDraining = false
                return nil
            }
            isDraining = true
            var batch: [WorkEffect] = []
            swap(&batch, &spare)
            swap(&batch, &pending)
            return (home, batch)
        }
    }

    private let loop: any EventLoop
    private let state = Mutex(State())

    init(loop: any EventLoop) { self.loop = loop }

    func attach(_ home: any WorkHome) { state.withLock { $0.home = home } }

    func append(_ effect: WorkEffect) { state.withLock { $0.pending.append(effect) } }

    /// Brings what is pending to the loop: at once when called on it, else by one queued task.
    func deliver() {
        if loop.inEventLoop { return drain() }
        let mustSchedule = state.withLock { state in
            if state.isScheduled || state.isDraining || state.pending.isEmpty { return false }
            state.isScheduled = true
            return true
        }
        guard mustSchedule else { return }
        loop.execute {
            self.state.withLock { $0.isScheduled = false }
            self.drain()
        }
    }

    /// Empties the mailbox. Whether more came while a batch was handled is decided in the same critical section that
    /// ends the draining, so nothing can be left behind.
    private func drain() {
        guard let first = takeBatch() else { return }
        var next: (home: any WorkHome, effects: [WorkEffect])? = first
        while let (home, effects) = next {
            next = nil
            home.receive(effects)
            next = takeBatch(after: effects)
        }
    }

    /// The first batch of a drain; nil when there is nothing or a drain is under way.
    private func takeBatch() -> (home: any WorkHome, effects: [WorkEffect])? {
        state.withLock { state in state.isDraining ? nil : state.take() }
    }

    /// The next batch. The memory of the one before is used again, unless a burst would pin it for ever.
    private func takeBatch(after emptied: consuming [WorkEffect]) -> (home: any WorkHome, effects: [WorkEffect])? {
        let isKept = emptied.capacity <= 1024
        if isKept { emptied.removeAll(keepingCapacity: true) }
        return state.withLock { [emptied] state in
            if isKept { state.spare = emptied }
            return state.take()
        }
    }
}
