package import FleetTracking
package import FlowControl
package import NIOCore
package import Scheduling
import Synchronization

/// The effects that belong to one piece of work.
package enum WorkEffect: Sendable {
    case forward(WorkID, EndpointID, attempt: Int)
    case refuse(WorkID, Outcome, retryAfter: Duration?)
    case cancelUpstream(WorkID)
}

/// What holds the works of one event loop. Called on that loop only.
package protocol WorkHome: AnyObject, Sendable {
    /// Effects in decision order. May submit further events: their effects come in a later call, never inside this one.
    func receive(_ effects: [WorkEffect])
}

/// The live host of the scheduler: decides under one lock, acts after it.
///
/// Effects of a work are appended to its home loop's mailbox before the lock is released, so one work sees its
/// effects in decision order. When `submit` is called on the home loop itself, the mailbox is emptied before
/// `submit` returns (unless it is being emptied further up the stack, which then goes on with it); else the loop is woken.
package final class SchedulerHost: Sendable {
    package init(loops: [any EventLoop]) {}

    /// Sets the receiver of one loop. Once per loop, before the first `submit` that concerns it.
    package func attach(_ home: any WorkHome, loop index: Int) {}

    /// A fresh id for a work whose home is this loop.
    package func makeWorkID(loop index: Int) -> WorkID { WorkID(home: index, serial: 0) }

    /// Hands an event to the scheduler now.
    package func submit(_ event: Event) {}
}
