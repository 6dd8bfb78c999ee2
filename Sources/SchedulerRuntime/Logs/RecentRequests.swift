import FleetTracking
import Synchronization

/// The most recent requests, so that an operator can ask by `x-request-id` how one was placed.
///
/// A ring: the oldest is forgotten. One short lock for each ended request; the strings are shared, not copied. There is
/// no index by id: a search of some thousand entries now and then costs less than keeping one for every request.
package final class RecentRequests: RecordSink {
    private struct State {
        var ring: [RequestRecord] = []
        /// The oldest entry once the ring is full.
        var next = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    /// `limit` 0: nothing is kept.
    package init(limit: Int) { self.limit = limit }

    package func record(_ record: RequestRecord, loop: Int) {
        guard limit > 0, record.work != nil else { return }
        var record = record
        // Up to 2 KB each, which nobody reads here.
        record.prefix = []
        state.withLock { state in
            if state.ring.count < limit {
                state.ring.append(record)
            } else {
                state.ring[state.next] = record
                state.next = state.next + 1 == limit ? 0 : state.next + 1
            }
        }
    }

    /// The last request that had this id.
    package func find(_ requestID: String) -> RequestRecord? {
        state.withLock { state in
            state.ring[..<state.next].last { $0.requestID == requestID }
                ?? state.ring[state.next...].last { $0.requestID == requestID }
        }
    }
}
