package import FleetTracking
package import FlowControl
package import NIOCore
package import Scheduling

/// One attempt of a job, ready to be placed: its bytes are in memory and counted in the buffer budget by the caller.
package struct JobAttempt: Sendable {
    package var arrival: Arrival
    /// The engine path, such as `/v1/chat/completions`.
    package var path: String
    /// Sent byte for byte.
    package var body: ByteBuffer
    package var requestID: String
    /// The model's name and the tenant's, for the access log.
    package var model: String
    package var tenant: String

    package init(
        arrival: Arrival, path: String, body: ByteBuffer, requestID: String, model: String, tenant: String
    ) {
        self.arrival = arrival
        self.path = path
        self.body = body
        self.requestID = requestID
        self.model = model
        self.tenant = tenant
    }
}

/// How one attempt of a job ended.
package struct JobAnswer: Sendable {
    package var work: WorkID
    package var outcome: Outcome
    /// The engine's status; 0 when there was no answer.
    package var status: Int
    package var body: ByteBuffer
    /// The engine's `Retry-After`, if it sent one.
    package var retryAfter: Duration?
    /// The engine's request id, if it sent one.
    package var engineRequestID: String?
    package var endpoint: EndpointID?
    package var promptTokens: Int?
    package var outputTokens: Int?
    package var cachedTokens: Int?

    package init(work: WorkID, outcome: Outcome, status: Int, body: ByteBuffer) {
        self.work = work
        self.outcome = outcome
        self.status = status
        self.body = body
        self.retryAfter = nil
        self.engineRequestID = nil
        self.endpoint = nil
        self.promptTokens = nil
        self.outputTokens = nil
        self.cachedTokens = nil
    }
}

/// The door by which async dispatch reaches the engines: same scheduler, same engine connections, no client.
package protocol JobPort: Sendable {
    /// A fresh work id; homes are given out in turn.
    func makeWorkID() -> WorkID
    /// Registers the attempt at its home loop and submits its arrival. `onGrant` is called once if it is forwarded
    /// (before anything is sent), `onAnswer` exactly once, always; both on the home loop: they must not block.
    func place(
        _ attempt: JobAttempt, onGrant: @escaping @Sendable (WorkID, EndpointID) -> Void,
        onAnswer: @escaping @Sendable (JobAnswer) -> Void)
    /// Returns when the arrival of every attempt that was placed before has been submitted.
    func arrivalsSubmitted() async
    /// Ends the attempt as `withdrawn` wherever it is. The answer still comes through `onAnswer`.
    func withdraw(_ work: WorkID)
}
