import FleetTracking
import NIOCore
import WireFormats

/// A request body that is being read.
struct BodyGathering {
    var bytes = ByteBuffer()
    /// Bytes still to come; -1: chunked, until its end.
    var remaining = 0
    var chunks: ChunkParser?
    /// Taken from the buffer budget.
    var reserved = 0
    /// What came while there was no room for it.
    var waiting: ByteBuffer?
    /// The body must be whole by then.
    var due = Instant.distantFuture
    /// Give up waiting for the budget then.
    var budgetDue = Instant.distantFuture
}
