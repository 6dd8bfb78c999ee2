import FleetTracking
import FlowControl
import NIOCore
import SchedulerRuntime
import Scheduling
import WireFormats

/// One job attempt as the owner of its exchange: builds the request, gathers the answer, tells once how it ended.
final class JobCarrier: ExchangeOwner {
    private let attempt: JobAttempt
    private let onGrant: @Sendable (WorkID, EndpointID) -> Void
    private var onAnswer: (@Sendable (JobAnswer) -> Void)?
    private var body = ByteBuffer()
    /// Bytes of the answer that are taken from the budget until it is handed over.
    private var reservedBytes = 0
    private var budget: BufferBudget?
    /// The answer's length, if its head tells it.
    private var announced: Int?
    private(set) var refusal: Outcome?
    private var status = 0
    private var retryAfter: Duration?
    private var engineRequestID: String?
    /// The longest answer that is kept: what is allowed, and what there could ever be room for.
    private var limit = 0
    private weak var exchange: Exchange?

    init(
        _ attempt: JobAttempt, onGrant: @escaping @Sendable (WorkID, EndpointID) -> Void,
        onAnswer: @escaping @Sendable (JobAnswer) -> Void
    ) {
        self.attempt = attempt
        self.onGrant = onGrant
        self.onAnswer = onAnswer
    }

    func begin(on relay: LoopRelay) {
        budget = relay.budget
        limit = min(relay.settings.jobAnswerBytes, relay.budget.limit / 2)
        let now = relay.now()
        var record = RequestRecord(
            work: attempt.arrival.work, requestID: attempt.requestID, band: .async, method: "POST",
            path: attempt.path, outcome: .completed, arrivedAt: now, endedAt: now)
        record.pool = attempt.arrival.pool
        record.model = attempt.model
        record.tenant = attempt.tenant
        record.bytesIn = attempt.body.readableBytes
        record.prefix = attempt.arrival.prefix
        let order = ExchangeOrder(
            work: attempt.arrival.work, body: attempt.body, reservedBytes: 0,
            mayRetryAfterSend: attempt.arrival.mayRetryAfterSend, record: record)
        let exchange = Exchange(order, owner: self, loop: relay)
        self.exchange = exchange
        relay.add(exchange)
        relay.host.submit(.arrived(attempt.arrival))
    }

    var wantsPayload: Bool { true }

    func granted(_ exchange: Exchange) {
        if let endpoint = exchange.record.endpoint { onGrant(attempt.arrival.work, endpoint) }
    }

    func writeHead(into text: inout ByteText, for lane: EngineLane) {
        // What an earlier attempt's engine said before it was given up is no part of this one's answer.
        dropBody()
        refusal = nil
        text.append(bytes: lane.methodAndPrefix)
        text.append(string: attempt.path)
        text.append(bytes: lane.versionAndHost)
        text.append("Content-Type: application/json\r\nx-request-id: ")
        text.append(string: attempt.requestID)
        text.append("\r\n")
    }

    func answerBegan(_ head: EngineHead, framing: BodyFraming) {
        status = head.head.status
        retryAfter = head.retryAfter
        engineRequestID = head.head.fields.first(.requestID).map { head.bytes.text($0.valueRange) }
        guard case .length(let length) = framing else { return }
        announced = length
        if length > limit { refusal = .answerTooLarge }
    }

    func payload(_ bytes: UnsafeRawBufferPointer) {
        guard refusal == nil else { return }
        let needed = body.readableBytes + bytes.count
        guard needed <= limit else { return refusal = .answerTooLarge }
        guard makeRoom(for: needed) else { return refusal = .bufferBudget }
        body.writeBytes(bytes)
    }

    /// Takes room from the half of the budget that jobs may fill; the other is real-time's. In growing steps: an engine
    /// that only announces a long answer holds little. Without room the attempt ends, and its job is tried again later,
    /// unless its engine may be asked once only.
    private func makeRoom(for needed: Int) -> Bool {
        guard needed > reservedBytes else { return true }
        return reserve(min(limit, BufferBudget.step(for: needed, announced: announced))) || reserve(needed)
    }

    private func reserve(_ target: Int) -> Bool {
        guard let budget, budget.reserve(target - reservedBytes, within: budget.limit / 2) else { return false }
        reservedBytes = target
        body.reserveCapacity(target)
        return true
    }

    private func dropBody() {
        body = ByteBuffer()
        announced = nil
        budget?.release(reservedBytes)
        reservedBytes = 0
    }

    func answerBytes(_ bytes: ByteBuffer) {}

    func flushAnswer() {}

    func answerEnded() { end(exchange?.record.outcome ?? .completed) }

    /// A broken answer is no result: nothing of it is kept.
    func answerBroken(_ outcome: Outcome) {
        dropBody()
        end(outcome)
    }

    func refused(_ outcome: Outcome, retryAfter: Duration?) -> ToldRefusal {
        // An engine that was given up may have said something before.
        dropBody()
        self.retryAfter = retryAfter
        end(outcome)
        return ToldRefusal()
    }

    private func end(_ outcome: Outcome) {
        guard let onAnswer else { return }
        self.onAnswer = nil
        var answer = JobAnswer(work: attempt.arrival.work, outcome: outcome, status: status, body: body)
        answer.retryAfter = retryAfter
        answer.engineRequestID = engineRequestID
        if let record = exchange?.record {
            answer.endpoint = record.endpoint
            answer.promptTokens = record.promptTokens
            answer.outputTokens = record.outputTokens
            answer.cachedTokens = record.cachedTokens
        }
        dropBody()
        onAnswer(answer)
    }
}
