package import FleetTracking
package import FlowControl

/// What the world tells the scheduler. Values with dense ids: text stays at the edges.
package enum Event: Sendable {
    /// A request's body is read and scanned, or a job attempt is ready to be placed.
    case arrived(Arrival)
    /// The first output came: of a stream the first event with content (its head may come long before its prefill), of
    /// another answer the first byte of its body. Told of 2xx answers alone.
    case started(WorkID)
    /// Output tokens seen since the last report, gathered per event loop (every 50 ms) and at completion.
    case progressed([Progress])
    /// The engine's answer ended; the work is over whatever its status was.
    case finished(WorkID, Completion)
    /// An attempt failed. The scheduler answers with a new `forward`, or ends the work with a `refuse`.
    case failed(WorkID, AttemptFailure)
    /// The client went away or the job was withdrawn. The work is over; a forwarded one is closed by its home.
    case cancelled(WorkID)
    /// A scrape came back.
    case sampled(EndpointID, EngineSample)
    /// A scrape failed or held no known signal.
    case sampleFailed(EndpointID)
    /// A health check ended.
    case probed(EndpointID, healthy: Bool)
    /// A new endpoint; the host gives the id.
    case endpointAdded(EndpointDescription)
    /// The models an endpoint serves were learned or changed.
    case endpointModels(EndpointID, [ModelID])
    /// What the configuration says that the endpoint's engine can do, which may have changed.
    case endpointLimits(EndpointID, EngineLimits)
    /// New work stops (true) or may come again (false); running work goes on.
    case endpointDraining(EndpointID, Bool)
    /// The endpoint left the configuration; running work on it goes on to its end.
    case endpointRemoved(EndpointID)
    /// The store holds this many jobs of the model that could run now and are not in the scheduler. Told when it
    /// changes from zero.
    case backlog(PoolID, ModelID, pending: Int)
    /// The end of a `claimJobs`, once for each, after the zero or more `arrived` events of the jobs that it brought;
    /// `pending` as for `backlog`.
    case claimed(PoolID, ModelID, pending: Int)
    /// The async band takes no new grants (true: draining, or the store is unwell) or takes them again (false).
    case asyncPaused(Bool)
    /// The gateway goes down: waiting async work is returned as `shuttingDown`, no more is taken or asked for;
    /// real-time that waits or comes is still served until its home refuses it.
    case shutdown
    /// The time of an earlier `wake` came.
    case timerFired
}

/// A piece of work as the scheduler sees it.
package struct Arrival: Sendable {
    package var work: WorkID
    package var pool: PoolID
    package var model: ModelID
    package var tenant: TenantID
    package var band: Band
    /// Prompt tokens, estimated from bytes (a quarter of the text's bytes) where no tokeniser is at hand.
    package var promptTokens: Int
    /// Output tokens to expect: the request's limit, or the pool's estimate when it names none.
    package var expectedOutputTokens: Int
    /// The request's own limit of output tokens; nil: it names none. What is expected of past answers counts up to it.
    package var outputTokenLimit: Int?
    /// It asks for its tokens one by one.
    package var isStream = true
    /// Sequences the engine will run for it (`n`, or the number of prompts).
    package var sequences: Int
    /// Keyed hash chain over the prompt, each with the prompt bytes it covers; at most 128. Empty: no affinity.
    package var prefix: [PrefixBlock]
    /// The longest this work may wait before it is forwarded.
    package var timeToLive: Duration
    /// Async only: when its batch's window closes. Orders the async band.
    package var deadline: Instant
    /// False when the request may have side effects on the engine once bytes were sent (`store`, `background`).
    package var mayRetryAfterSend: Bool

    package init(
        work: WorkID, pool: PoolID, model: ModelID, tenant: TenantID = .everybody, band: Band,
        promptTokens: Int, expectedOutputTokens: Int, sequences: Int = 1, prefix: [PrefixBlock] = [],
        timeToLive: Duration, deadline: Instant = .distantFuture, mayRetryAfterSend: Bool = true
    ) {
        self.work = work
        self.pool = pool
        self.model = model
        self.tenant = tenant
        self.band = band
        self.promptTokens = promptTokens
        self.expectedOutputTokens = expectedOutputTokens
        self.sequences = sequences
        self.prefix = prefix
        self.timeToLive = timeToLive
        self.deadline = deadline
        self.mayRetryAfterSend = mayRetryAfterSend
    }
}

/// Output seen from one piece of work since its last report.
package struct Progress: Sendable {
    package var work: WorkID
    package var outputTokens: Int
    /// When the last of them came; nil: not known, or the client held them up. From one report to the next so many steps
    /// of the engine passed in exactly this time, which is how its pace is learned.
    package var lastOutputAt: Instant?

    package init(work: WorkID, outputTokens: Int, lastOutputAt: Instant? = nil) {
        self.work = work
        self.outputTokens = outputTokens
        self.lastOutputAt = lastOutputAt
    }
}

/// How an answered piece of work ended.
package struct Completion: Sendable {
    package var outcome: Outcome
    /// The engine's HTTP status, 0 when there was none.
    package var status: Int
    /// From the answer's usage, where it had one.
    package var promptTokens: Int?
    package var outputTokens: Int?
    package var cachedTokens: Int?

    package init(
        outcome: Outcome, status: Int, promptTokens: Int? = nil, outputTokens: Int? = nil, cachedTokens: Int? = nil
    ) {
        self.outcome = outcome
        self.status = status
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.cachedTokens = cachedTokens
    }
}

/// Why an attempt brought no answer. Decides whether it may go elsewhere and what it says about the endpoint.
package enum AttemptFailure: Sendable, Equatable {
    /// No connection. Nothing was sent: always safe to try elsewhere.
    case connect
    /// The engine said that it is full (503 or 429 from an engine, or an overload error as first event).
    case full(retryAfter: Duration?)
    /// The connection ended before the first response byte.
    case reset(bytesSent: Bool)
    /// No first byte within the limit.
    case firstByteTimeout
    /// After the first byte: never retried.
    case truncated
    case idleTimeout
    /// Not HTTP, or over a limit.
    case protocolError
}
