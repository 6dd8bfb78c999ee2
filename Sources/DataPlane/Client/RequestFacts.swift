import FleetTracking
import WireFormats

/// What is known of the request in hand beside its head, for its record and its answer.
struct RequestFacts {
    var id = ""
    var method = ""
    /// Without the query.
    var path = ""
    var kind = RequestKind.other
    var identity = Identity.stranger
    var arrivedAt = Instant.zero
    var model = ""
    /// The status that was sent, 0 before.
    var status = 0
    /// HEAD: no body follows the answer's head.
    var isHead = false

    init() {}
    init(arrivedAt: Instant) { self.arrivedAt = arrivedAt }
}
