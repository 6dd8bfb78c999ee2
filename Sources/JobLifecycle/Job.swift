/// One line of a batch as its claimant sees it. The body stays in the input file; a job points at it.
package struct Job: Sendable, Hashable {
    package var id: JobID
    package var batch: BatchID
    package var tenant: String
    /// The client's name for the line, unique in its batch.
    package var customID: String
    /// The engine path, such as `/v1/chat/completions`.
    package var path: String
    package var model: String
    package var body: BodyLocation
    package var cost: JobCost
    /// The line asks the engine to keep something (`store`): once it was sent it is never sent again.
    package var sendsOnce: Bool
    /// Failed attempts that count towards the cap.
    package var attempts: Int
    /// All times it was put back, sheds included: the exponent of the backoff.
    package var retries: Int
    /// When the batch's window closes.
    package var deadline: WallTime
    /// What its result must carry.
    package var lease: LeaseToken

    package init(
        id: JobID, batch: BatchID, tenant: String, customID: String, path: String, model: String, body: BodyLocation,
        cost: JobCost, sendsOnce: Bool = false, attempts: Int = 0, retries: Int = 0, deadline: WallTime,
        lease: LeaseToken
    ) {
        self.id = id
        self.batch = batch
        self.tenant = tenant
        self.customID = customID
        self.path = path
        self.model = model
        self.body = body
        self.cost = cost
        self.sendsOnce = sendsOnce
        self.attempts = attempts
        self.retries = retries
        self.deadline = deadline
        self.lease = lease
    }
}

/// Where a request body lies: bytes `offset ..< offset + length` of a stored file.
package struct BodyLocation: Sendable, Hashable {
    package var file: FileID
    package var offset: Int
    package var length: Int

    package init(file: FileID, offset: Int, length: Int) {
        self.file = file
        self.offset = offset
        self.length = length
    }
}

/// What a job is expected to cost an engine, estimated when its batch is validated.
package struct JobCost: Sendable, Hashable {
    package var promptTokens: Int
    /// Nil: the line names no limit; the pool's estimate is taken at dispatch.
    package var outputTokens: Int?
    /// Sequences the engine will run (`n`, or the number of prompts).
    package var sequences: Int

    package init(promptTokens: Int, outputTokens: Int? = nil, sequences: Int = 1) {
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.sequences = sequences
    }
}
