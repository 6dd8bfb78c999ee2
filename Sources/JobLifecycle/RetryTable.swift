import FleetTracking

/// How one attempt of a job went, as far as retrying is concerned.
package enum AttemptResult: Sendable, Hashable {
    /// A whole answer with this HTTP status.
    case answered(status: Int)
    /// Nothing was sent: queue full, waited too long for room, no endpoint. Not the job's doing.
    case shed
    /// The engine was asked and said that it is full (429, 503).
    case full
    /// No connection to an engine. Nothing was sent, so it says nothing about the job.
    case unreachable
    /// An attempt that may have run broke off: reset, truncated, timeout, not HTTP. `code` names the outcome.
    case broken(code: String)
    /// The engine was asked and answers, but there was no memory for its answer. `setting` names the limit.
    case unkept(code: String, setting: String)
    /// The gateway itself refused the request; asking again would bring the same.
    case refused(code: String)
    /// The answer is larger than what is kept of one: asking again would bring the same. `setting` names the limit.
    case overLimit(code: String, setting: String)
    /// The gateway took it back: shutdown, drain. `wasSent`: it may have reached an engine.
    case givenBack(wasSent: Bool)
}

/// What becomes of a job after an attempt.
package enum AttemptVerdict: Sendable, Hashable {
    /// Ended well; the answer is its result.
    case succeeded
    /// Ended badly. The answer, if there is one, is its result; else the fault.
    case failed(JobFault?)
    /// The window closed.
    case expired
    /// Again after this time.
    case retry(after: Duration, countsAsAttempt: Bool)
    /// Pending again at once.
    case released
}

/// What is known of a job when an attempt ends.
package struct AttemptContext: Sendable {
    /// Failed attempts before this one that count towards the cap.
    package var attempts: Int
    /// Times it was put back before, sheds included.
    package var retries: Int
    /// To the end of the batch's window.
    package var timeLeft: Duration
    /// The engine's `Retry-After`.
    package var retryAfter: Duration?
    /// The job may reach an engine once only (`Job.sendsOnce`).
    package var sendsOnce: Bool
    /// Two uniform draws from [0, 1): the jitter, and the spread over a `Retry-After`.
    package var draws: (jitter: Double, spread: Double)

    package init(
        attempts: Int, retries: Int, timeLeft: Duration, retryAfter: Duration? = nil, sendsOnce: Bool = false,
        draws: (jitter: Double, spread: Double)
    ) {
        self.attempts = attempts
        self.retries = retries
        self.timeLeft = timeLeft
        self.retryAfter = retryAfter
        self.sendsOnce = sendsOnce
        self.draws = draws
    }
}

/// The one classification of attempts. Equal jitter, as llm-d-async does it since 0.10:
/// `t = min(cap, time left, base · 2ⁿ)` with n the number of this retry, delay uniform in `[t/2, t)`.
///
/// | attempt | verdict |
/// |---|---|
/// | 2xx, 3xx | succeeded |
/// | 429, 503 from an engine; full; shed | retried, not counted |
/// | unreachable | retried, not counted: an outage of the engines must not use up the lines behind it |
/// | other 5xx, broken, unkept | retried and counted; at the cap failed, with the last answer or the code |
/// | other 4xx, 1xx | failed, with the answer |
/// | refused, over a limit | failed, with the code |
/// | given back | released, not counted |
///
/// A job that may be sent once only is retried after sheds and lost dials alone, which sent nothing. Any other end but
/// success fails it: with the answer, or with a fault that says why it was not tried again.
package struct RetryTable: Sendable, Hashable {
    /// Counted attempts. Five span 30 to 60 seconds of backoff: longer than a reset connection or a passing 500,
    /// short enough that a line which kills its engine does so five times at most.
    package var maximumAttempts = 5
    package var backoffBase = Duration.seconds(2)
    package var backoffCap = Duration.seconds(60)

    package init() {}

    package func verdict(for result: AttemptResult, _ context: AttemptContext) -> AttemptVerdict {
        if context.sendsOnce, let end = RetryTable.onlyEnd(after: result) { return end }
        switch result {
        case .answered(let status) where (200..<400).contains(status):
            return .succeeded
        case .answered(429), .answered(503), .full, .shed, .unreachable:
            return retry(context, countsAsAttempt: false)
        case .answered(let status) where (500..<600).contains(status):
            if context.attempts + 1 >= maximumAttempts { return .failed(nil) }
            return retry(context, countsAsAttempt: true)
        case .answered:
            return .failed(nil)
        case .broken(let code):
            if context.attempts + 1 >= maximumAttempts {
                return .failed(
                    JobFault(
                        code: code,
                        message: "Given up after \(maximumAttempts) failed attempts; the last one ended as \(code)."))
            }
            return retry(context, countsAsAttempt: true)
        case .unkept(let code, let setting):
            if context.attempts + 1 >= maximumAttempts {
                return .failed(
                    JobFault(
                        code: code,
                        message: "No memory for its answer in \(maximumAttempts) attempts: \(setting) is in use."))
            }
            return retry(context, countsAsAttempt: true)
        case .refused(let code):
            return .failed(JobFault(code: code, message: "The gateway refused this request: \(code)."))
        case .overLimit(let code, let setting):
            return .failed(
                JobFault(
                    code: code,
                    message: "The engine's answer is larger than \(setting) allows. Ask for less, or raise the limit."))
        case .givenBack:
            return .released
        }
    }

    /// How a job ends that may not be sent again; nil: nothing was sent, or it ends as any other.
    private static func onlyEnd(after result: AttemptResult) -> AttemptVerdict? {
        let reason = "It asks the engine to store its answer, so it is not sent a second time."
        switch result {
        case .answered(let status) where !(200..<400).contains(status):
            return .failed(nil)
        case .full:
            return .failed(JobFault(code: "engines_full", message: "The engine said that it is full. \(reason)"))
        case .broken(let code), .unkept(let code, _):
            return .failed(
                JobFault(code: code, message: "The attempt ended as \(code) after the request was sent. \(reason)"))
        case .givenBack(wasSent: true):
            return .failed(.interrupted)
        case .answered, .shed, .unreachable, .refused, .overLimit, .givenBack(wasSent: false):
            return nil
        }
    }

    private func retry(_ context: AttemptContext, countsAsAttempt: Bool) -> AttemptVerdict {
        if context.timeLeft <= .zero { return .expired }
        return .retry(after: delay(context), countsAsAttempt: countsAsAttempt)
    }

    /// The wait before the next try: never over the time left but for the spread of a `Retry-After`.
    package func delay(_ context: AttemptContext) -> Duration {
        let left = max(0, context.timeLeft.seconds)
        // Past 2³⁰ the cap has long decided; the bound keeps the power finite.
        let exponent = min(30, max(0, context.retries) + 1)
        let ceiling = min(backoffCap.seconds, left, backoffBase.seconds * Double(1 << exponent))
        var delay = ceiling / 2 + context.draws.jitter * ceiling / 2
        if let asked = context.retryAfter?.seconds, asked > delay {
            delay = max(delay, min(asked, left / 2) * (1 + context.draws.spread / 4))
        }
        return .milliseconds(Int64(delay * 1000))
    }
}
