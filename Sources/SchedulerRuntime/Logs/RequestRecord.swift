package import FleetTracking
package import FlowControl

/// Everything that is told about one piece of work at its end: one access-log line, the metrics, one trace-log row.
/// Never holds prompt or answer text.
package struct RequestRecord: Sendable {
    package var work: WorkID?
    package var requestID: String
    package var band: Band
    package var pool: PoolID?
    package var model: String
    package var tenant: String
    package var method: String
    package var path: String
    /// The status the client saw; 0 when it was gone before one was sent.
    package var status: Int
    package var outcome: Outcome
    /// Why the gateway refused it: the code of its error body, one of a short list. "" when it did not.
    package var refusal: String
    package var endpoint: EndpointID?
    package var attempts: Int
    package var streamed: Bool
    /// Stamps on the monotonic axis; nil when that point was not reached.
    package var arrivedAt: Instant
    package var forwardedAt: Instant?
    /// The first output of a stream, the first body byte of another answer.
    package var firstByteAt: Instant?
    package var endedAt: Instant
    package var bytesIn: Int
    package var bytesOut: Int
    package var promptTokens: Int?
    package var outputTokens: Int?
    package var cachedTokens: Int?
    package var prefix: [PrefixBlock]

    package init(
        work: WorkID?, requestID: String, band: Band, method: String, path: String, outcome: Outcome,
        arrivedAt: Instant, endedAt: Instant
    ) {
        self.work = work
        self.requestID = requestID
        self.band = band
        self.pool = nil
        self.model = ""
        self.tenant = ""
        self.method = method
        self.path = path
        self.status = 0
        self.outcome = outcome
        self.refusal = ""
        self.endpoint = nil
        self.attempts = 0
        self.streamed = false
        self.arrivedAt = arrivedAt
        self.forwardedAt = nil
        self.firstByteAt = nil
        self.endedAt = endedAt
        self.bytesIn = 0
        self.bytesOut = 0
        self.promptTokens = nil
        self.outputTokens = nil
        self.cachedTokens = nil
        self.prefix = []
    }
}
