import FlowControl
import NIOCore
import WireFormats

@testable import DataPlane

/// Keeps what an exchange tells its owner; consecutive bytes are joined.
final class ScriptedOwner: ExchangeOwner {
    enum Call: Equatable {
        case began(Int)
        case bytes(String)
        case ended
        case broken(Outcome)
        case refused(Outcome)
    }

    private(set) var calls: [Call] = []
    private(set) var heads = 0
    weak var exchange: Exchange?
    let wantsPayload: Bool
    var refusal: Outcome?
    /// Runs at each flush.
    var onFlush: (Exchange) -> Void = { _ in }

    init(wantsPayload: Bool = false) { self.wantsPayload = wantsPayload }

    /// The answer's bytes so far.
    var text: String {
        calls.reduce("") { if case .bytes(let more) = $1 { $0 + more } else { $0 } }
    }

    func granted(_ exchange: Exchange) {}

    func writeHead(into text: inout ByteText, for lane: EngineLane) {
        heads += 1
        text.append(bytes: lane.methodAndPrefix)
        text.append("/x")
        text.append(bytes: lane.versionAndHost)
    }

    func answerBegan(_ head: EngineHead, framing: BodyFraming) { calls.append(.began(head.head.status)) }

    func payload(_ bytes: UnsafeRawBufferPointer) { add(String(decoding: bytes, as: UTF8.self)) }

    func answerBytes(_ bytes: ByteBuffer) { add(String(buffer: bytes)) }

    private func add(_ text: String) {
        if case .bytes(let before) = calls.last {
            calls[calls.count - 1] = .bytes(before + text)
        } else {
            calls.append(.bytes(text))
        }
    }

    func flushAnswer() { if let exchange { onFlush(exchange) } }
    func answerEnded() { calls.append(.ended) }
    func answerBroken(_ outcome: Outcome) { calls.append(.broken(outcome)) }

    func refused(_ outcome: Outcome, retryAfter: Duration?) -> ToldRefusal {
        calls.append(.refused(outcome))
        return ToldRefusal(status: 503)
    }
}
