package import FleetTracking

/// The one state machine that joins fleet state, endpoint picking and flow control.
///
/// Pure: no clock, lock, input or output. The live host keeps it behind one lock; the simulator calls it from its
/// event loop. Same events, same seed, same effects.
package struct Scheduler: ~Copyable {
    /// `pools` in the order of their ids.
    package init(settings: SchedulerSettings = SchedulerSettings(), seed: UInt64 = 1, pools: [PoolSettings] = []) {}

    /// Takes one event and appends what is to be done about it. `now` never goes back.
    package mutating func handle(_ event: Event, now: Instant, effects: inout [Effect]) {
    }
}
