import FleetTracking
import Synchronization

/// The most recent requests by their `x-request-id`, so that an operator can ask how one was placed.
///
/// A ring: the oldest is forgotten. One short lock for each ended request; the strings are shared, not copied.
package final class RecentRequests: RecordSink {
    private struct State {
        var ring: [RequestRecord] = []
        var next = 0
        var places: [String: Int] = [:]
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
                let old = state.ring[state.next].requestID
                if state.places[old] == state.next { state.places[old] = nil }
                state.ring[state.next] = record
            }
            state.places[record.requestID] = state.next
            state.next = (state.next + 1) % limit
        }
    }

    /// The last request that had this id.
    package func find(_ requestID: String) -> RequestRecord? {
        state.withLock { state in state.places[requestID].map { state.ring[$0] } }
    }
}
