/// How one piece of work ended. The raw value is the metric label and the log field; the HTTP status a client sees
/// comes from the one table in `DataPlane`.
///
/// Every request and every job attempt ends in exactly one outcome.
package enum Outcome: String, Sendable, CaseIterable {
    /// The engine's answer was relayed to its end (whatever its status).
    case completed
    /// The stream carried an error event after its 200; it was passed on.
    case engineStreamError = "engine_stream_error"
    /// The client went away before the end.
    case clientGone = "client_gone"
    /// The band's queue was at its limit on arrival.
    case queueFull = "queue_full"
    /// The work waited for its whole time to live and no endpoint had room.
    case queueTimeout = "queue_timeout"
    /// No endpoint is known, or none is healthy or may take traffic.
    case noEndpoint = "no_endpoint"
    /// No endpoint of any pool serves this model.
    case modelNotFound = "model_not_found"
    /// No connection to an engine could be made within the retry limits.
    case connectFailed = "connect_failed"
    /// Every engine that was tried said that it is full.
    case enginesFull = "engines_full"
    /// The engine closed or reset before the first response byte and no retry was left or allowed.
    case engineReset = "engine_reset"
    /// The engine's connection ended in the middle of a response.
    case engineTruncated = "engine_truncated"
    /// No first response byte within the limit.
    case firstByteTimeout = "first_byte_timeout"
    /// A response stream was silent for longer than its limit.
    case idleTimeout = "idle_timeout"
    /// The engine's answer was not HTTP we can relay, or was over a limit.
    case engineProtocol = "engine_protocol"
    /// The engine's answer is larger than what is kept of an answer to a job.
    case answerTooLarge = "answer_too_large"
    /// The gateway refused the request itself (bad HTTP, bad JSON, over a limit, no key): the status tells which.
    case requestRefused = "request_refused"
    /// The budget for buffered bodies stayed spent for as long as a request may wait for it; or the answer to a job
    /// found the budget for jobs spent.
    case bufferBudget = "buffer_budget"
    /// The gateway is shutting down and could not serve this work.
    case shuttingDown = "shutting_down"
    /// An operator, a cancelled batch or a deadline withdrew the work.
    case withdrawn
}
