import DataPlane
import FleetTracking
import FlowControl
import NIOCore
import Scheduling
import Synchronization

/// Engines by script: decides for each attempt how it goes.
final class FakePort: JobPort {
    enum Reaction: Sendable {
        case answer(status: Int, body: String)
        /// Like `answer`, from an engine that gives no request id.
        case answerWithoutID(status: Int, body: String)
        /// Grants it, and breaks off.
        case breakOff(Outcome)
        case end(Outcome)
        /// Grants it and keeps it until `finish` or a withdrawal.
        case hold
    }

    struct Placed: Sendable {
        var work: WorkID
        var attempt: JobAttempt
        /// The custom id that the tests put into each body, as `"user":"…"`.
        var customID: String
        /// Counts from 1, per custom id.
        var number: Int
    }

    private struct Held {
        var onAnswer: @Sendable (JobAnswer) -> Void
        var bytes: Int
    }

    private struct State {
        var serial: UInt64 = 0
        var numbers: [String: Int] = [:]
        var held: [WorkID: Held] = [:]
        var mostBytes = 0
        var bytes = 0
    }

    private let state = Mutex(State())
    private let react: @Sendable (Placed) -> Reaction
    /// Called after every answer.
    private let answered = Mutex<@Sendable () -> Void>({})
    let placed = EventLog<Placed>()
    let withdrawn = EventLog<WorkID>()

    init(_ react: @escaping @Sendable (Placed) -> Reaction = { _ in .answer(status: 200, body: "{\"ok\":true}") }) {
        self.react = react
    }

    /// The most request bytes that were held at once.
    var mostBytes: Int { state.withLock { $0.mostBytes } }

    func onAnswered(_ body: @escaping @Sendable () -> Void) { answered.withLock { $0 = body } }

    func makeWorkID() -> WorkID {
        state.withLock { state in
            state.serial += 1
            return WorkID(home: 0, serial: state.serial)
        }
    }

    func place(
        _ attempt: JobAttempt, onGrant: @escaping @Sendable (WorkID, EndpointID) -> Void,
        onAnswer: @escaping @Sendable (JobAnswer) -> Void
    ) {
        let text = String(buffer: attempt.body)
        let customID = String(text.split(separator: "\"user\":\"").last?.split(separator: "\"").first ?? "")
        let work = attempt.arrival.work
        let number = state.withLock { state in
            state.numbers[customID, default: 0] += 1
            return state.numbers[customID] ?? 0
        }
        let placed = Placed(work: work, attempt: attempt, customID: customID, number: number)
        switch react(placed) {
        case .answer(let status, let body):
            onGrant(work, EndpointID(0))
            onAnswer(FakePort.answer(work, .completed, status, body))
            answered.withLock { $0 }()
        case .answerWithoutID(let status, let body):
            onGrant(work, EndpointID(0))
            var answer = FakePort.answer(work, .completed, status, body)
            answer.engineRequestID = nil
            onAnswer(answer)
            answered.withLock { $0 }()
        case .breakOff(let outcome):
            onGrant(work, EndpointID(0))
            onAnswer(FakePort.answer(work, outcome, 0, ""))
            answered.withLock { $0 }()
        case .end(let outcome):
            var answer = FakePort.answer(work, outcome, 0, "")
            answer.endpoint = nil
            onAnswer(answer)
            answered.withLock { $0 }()
        case .hold:
            state.withLock { state in
                state.held[work] = Held(onAnswer: onAnswer, bytes: attempt.body.readableBytes)
                state.bytes += attempt.body.readableBytes
                state.mostBytes = max(state.mostBytes, state.bytes)
            }
            onGrant(work, EndpointID(0))
        }
        self.placed.add(placed)
    }

    func arrivalsSubmitted() async {}

    func withdraw(_ work: WorkID) {
        withdrawn.add(work)
        finish(work, .withdrawn, status: 0, body: "")
    }

    /// Ends a held attempt; nothing if it ended before.
    func finish(_ work: WorkID, _ outcome: Outcome = .completed, status: Int = 200, body: String = "{\"ok\":true}") {
        let held = state.withLock { state in
            let held = state.held.removeValue(forKey: work)
            state.bytes -= held?.bytes ?? 0
            return held
        }
        guard let held else { return }
        held.onAnswer(FakePort.answer(work, outcome, status, body))
        answered.withLock { $0 }()
    }

    private static func answer(_ work: WorkID, _ outcome: Outcome, _ status: Int, _ body: String) -> JobAnswer {
        var answer = JobAnswer(work: work, outcome: outcome, status: status, body: ByteBuffer(string: body))
        answer.endpoint = EndpointID(0)
        answer.engineRequestID = "engine-\(work.rawValue)"
        answer.promptTokens = 3
        answer.outputTokens = 2
        return answer
    }
}
