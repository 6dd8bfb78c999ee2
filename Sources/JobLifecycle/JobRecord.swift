/// The one terminal record of a job: what its line in the output or error file says.
package struct JobRecord: Sendable, Hashable {
    /// `succeeded`, `failed`, `expired` or `cancelled`.
    package var state: JobState
    /// The engine's answer, where there was one; kept for failures too.
    package var response: JobResponse?
    /// Set where no answer explains the end.
    package var fault: JobFault?
    package var usage: BatchUsage

    package init(
        state: JobState, response: JobResponse? = nil, fault: JobFault? = nil, usage: BatchUsage = BatchUsage()
    ) {
        precondition(state.isFinal, "a job record in state \(state)")
        self.state = state
        self.response = response
        self.fault = fault
        self.usage = usage
    }
}

/// An engine's answer to a job.
package struct JobResponse: Sendable, Hashable {
    package var status: Int
    package var requestID: String
    /// As the engine sent it.
    package var body: [UInt8]

    package init(status: Int, requestID: String, body: [UInt8]) {
        self.status = status
        self.requestID = requestID
        self.body = body
    }
}

/// Why a job ended without an answer: `error` of its line.
package struct JobFault: Sendable, Hashable {
    /// Stable word, such as `batch_expired`.
    package var code: String
    package var message: String

    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    package static let batchExpired = JobFault(
        code: "batch_expired",
        message: "This request could not be executed before the completion window expired.")
    /// For a line that may be sent once only, when nobody can tell any more whether an engine ran it.
    package static let interrupted = JobFault(
        code: "interrupted",
        message: "The gateway stopped while this request was on its way to an engine. It asks the engine to store its "
            + "answer, so it was not sent a second time.")
    package static let batchCancelled = JobFault(
        code: "batch_cancelled", message: "This request was not executed because its batch was cancelled.")
}
