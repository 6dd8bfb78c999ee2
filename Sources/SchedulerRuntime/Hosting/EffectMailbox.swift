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
        guard let first = takeBatch(continuing: false) else { return }
        var next: (home: any WorkHome, effects: [WorkEffect])? = first
        while let (home, effects) = next {
            next = nil
            home.receive(effects)
            giveBack(effects)
            next = takeBatch(continuing: true)
        }
    }

    private func takeBatch(continuing: Bool) -> (home: any WorkHome, effects: [WorkEffect])? {
        state.withLock { state in
            if state.isDraining && !continuing { return nil }
            guard let home = state.home, !state.pending.isEmpty else {
                state.isDraining = false
                return nil
            }
            state.isDraining = true
            var batch: [WorkEffect] = []
            swap(&batch, &state.spare)
            swap(&batch, &state.pending)
            return (home, batch)
        }
    }

    private func giveBack(_ effects: consuming [WorkEffect]) {
        // A burst must not pin its memory for ever.
        guard effects.capacity <= 1024 else { return }
        effects.removeAll(keepingCapacity: true)
        state.withLock { [effects] state in state.spare = effects }
    }
}
