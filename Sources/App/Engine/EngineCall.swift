import EngineModel
import NIOCore

/// One request that the engine works on, from its admission to its last byte.
///
/// Lives on the engine's event loop. It ends exactly once: `isOver` is set by the end of the answer, by a fault, or by
/// the client's going away.
final class EngineCall {
    let id: String
    /// Seconds since 1970.
    let created: Int
    let request: GenerationRequest
    let format: any AnswerFormat
    let fault: FaultPlan?
    let arrivedAt: NIODeadline
    weak var connection: EngineConnection?
    var branches: [AnswerBranch] = []
    /// Branches that have not ended.
    var unfinished: Int
    /// Tokens of all branches so far.
    var generated = 0
    /// When it entered the engine's queue, and when its first sequence left it.
    var enqueuedAt: NIODeadline
    private(set) var startedAt: NIODeadline?
    var firstTokenAt: NIODeadline?
    var lastTokenAt: NIODeadline
    var hasHead = false
    var isOver = false
    /// Nothing more is sent, and it never ends by itself.
    var isStalled = false
    /// Set while the call is in the list of those that this step touched.
    var isTouched = false

    /// Who it is, when it came and what shall go wrong with it.
    struct Origin {
        var id: String
        var created: Int
        var arrivedAt = NIODeadline.now()
        var fault: FaultPlan?
    }

    init(_ origin: Origin, request: GenerationRequest, format: any AnswerFormat, tokenizer: Tokenizer) {
        id = origin.id
        created = origin.created
        fault = origin.fault
        arrivedAt = origin.arrivedAt
        enqueuedAt = origin.arrivedAt
        lastTokenAt = origin.arrivedAt
        self.request = request
        self.format = format
        for prompt in request.prompts.indices {
            for choice in 0..<request.choices {
                branches.append(
                    AnswerBranch(
                        index: prompt * request.choices + choice, prompt: prompt, request: request, tokenizer: tokenizer
                    ))
            }
        }
        unfinished = branches.count
    }

    func noteStart(at now: NIODeadline) { startedAt = startedAt ?? now }

    var usage: AnswerUsage {
        var cached = 0
        for branch in branches where branch.index % request.choices == 0 { cached += branch.cached }
        return AnswerUsage(prompt: request.promptTokens, generated: generated, cached: cached)
    }

    /// Whether the head of a stream may go out before the first token, as it does in vLLM.
    var sendsHeadAtOnce: Bool {
        guard request.streams else { return false }
        guard let fault else { return true }
        return !fault.resetBeforeFirstByte && fault.stallAfterTokens != 0
    }
}

/// The token counts of one answer.
struct AnswerUsage: Equatable {
    var prompt: Int
    var generated: Int
    var cached: Int
}
