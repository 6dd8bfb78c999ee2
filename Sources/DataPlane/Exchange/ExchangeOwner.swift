import FleetTracking
import FlowControl
import NIOCore
import SchedulerRuntime
import WireFormats

/// Whose request an exchange carries: a client's connection, or a job attempt. Called on the loop.
///
/// Order of calls: `granted` once, `writeHead` once for each attempt; then either `refused` once, or `answerBegan`
/// once, `answerBytes` any number of times, and one of `answerEnded` and `answerBroken`. Nothing after that.
protocol ExchangeOwner: AnyObject {
    /// True: body bytes come through `payload`, without framing. False: through `answerBytes`, framed as the head says.
    var wantsPayload: Bool { get }
    /// The request head for this engine, without its `Content-Length` line and its closing empty line.
    func writeHead(into text: inout ByteText, for lane: EngineLane)
    /// The first attempt is about to be sent.
    func granted(_ exchange: Exchange)
    /// The answer is committed: from here on there is no other endpoint.
    func answerBegan(_ head: EngineHead, framing: BodyFraming)
    func payload(_ bytes: UnsafeRawBufferPointer)
    /// Why this owner takes no more payload; nil: it does. Asked at the head and after each read: the answer then
    /// ends as broken.
    var refusal: Outcome? { get }
    /// To be written, not flushed.
    func answerBytes(_ bytes: ByteBuffer)
    /// Everything of this read was given: flush.
    func flushAnswer()
    /// The answer is whole, and flushed. The exchange is over.
    func answerEnded()
    /// The answer ends here, broken; it must not look whole. The exchange is over.
    func answerBroken(_ outcome: Outcome)
    /// There is no answer from an engine. The exchange is over. Returns what was told instead.
    func refused(_ outcome: Outcome, retryAfter: Duration?) -> ToldRefusal
}

/// What somebody was told instead of an engine's answer.
struct ToldRefusal {
    /// 0: nothing.
    var status = 0
    /// The code of the error body.
    var code = ""
    var bodyBytes = 0
}

/// What an exchange is made of.
struct ExchangeOrder {
    var work: WorkID
    /// Sent byte for byte.
    var body: ByteBuffer
    /// Bytes of the buffer budget that are given back when the body is not needed any more.
    var reservedBytes: Int
    /// False: bytes of this request are sent to one engine at most.
    var mayRetryAfterSend: Bool
    var record: RequestRecord
}
