import FleetTracking
import WireFormats

/// What is known of the request in hand beside its head, for its record and its answer.
struct RequestFacts {
    var id = ""
    var method = ""
    /// Without the query.
    var path = ""
    var kind = RequestKind.other
    /// The path leads to engines, by the directory of this version.
    var isEnginePath = false
    var directoryVersion = -1
    var identity = Identity.stranger
    var arrivedAt = Instant.zero
    var model = ""
    /// The status that was sent, 0 before.
    var status = 0
    /// The code of the error body that was sent, "" when none was.
    var refusal = ""
    /// Body bytes that came, and that were sent; without framing.
    var bytesIn = 0
    var bytesOut = 0
    /// HEAD: no body follows the answer's head.
    var isHead = false

    init() {}
    init(arrivedAt: Instant) { self.arrivedAt = arrivedAt }
}
