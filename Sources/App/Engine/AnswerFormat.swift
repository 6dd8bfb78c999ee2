import EngineModel
import NIOCore

/// How one API writes its answers: as a stream of events, or whole.
protocol AnswerFormat {
    /// Whether errors have Anthropic's shape.
    var isAnthropic: Bool { get }
    /// Events before the first token's.
    func begin(_ call: EngineCall, to events: inout EventWriter)
    /// Events of one branch's newest token, and of its end when it ended.
    func token(_ call: EngineCall, branch: AnswerBranch, to events: inout EventWriter)
    /// Events after the last branch ended.
    func end(_ call: EngineCall, to events: inout EventWriter)
    /// The answer of a request that is not streamed.
    func whole(_ call: EngineCall) -> ByteBuffer
}

extension AnswerFormat {
    var isAnthropic: Bool { false }
}

extension ByteBuffer {
    /// Appends OpenAI's usage object. The cached tokens are null rather than 0, as vLLM has it.
    mutating func writeUsage(_ usage: AnswerUsage) {
        writeString(
            "{\"prompt_tokens\":\(usage.prompt),\"total_tokens\":\(usage.prompt + usage.generated),\"completion_tokens\":\(usage.generated),\"prompt_tokens_details\":"
        )
        writeString(usage.cached > 0 ? "{\"cached_tokens\":\(usage.cached)}}" : "null}")
    }

    /// Appends `,"finish_reason":…` and, at the end of an answer, `,"stop_reason":…`.
    mutating func writeFinish(of branch: AnswerBranch) {
        guard let finish = branch.finish else {
            writeStaticString(",\"finish_reason\":null")
            return
        }
        writeString(",\"finish_reason\":\"\(finish.rawValue)\",\"stop_reason\":")
        if let token = branch.stopToken { writeString(String(token)) } else { writeJSON(branch.stopText) }
    }

    /// Appends `,"NAME":[…]`, or null when the request does not want token ids back.
    mutating func writeTokenIDs(_ name: StaticString, _ tokens: [Int32]?) {
        writeStaticString(",\"")
        writeStaticString(name)
        writeStaticString("\":")
        if let tokens { writeJSON(tokens) } else { writeStaticString("null") }
    }

    /// Appends `{"id":…,"object":…,"created":…,"model":…`.
    mutating func writeOpening(of call: EngineCall, object: StaticString) {
        writeStaticString("{\"id\":")
        writeJSON(call.id)
        writeStaticString(",\"object\":\"")
        writeStaticString(object)
        writeStaticString("\",\"created\":")
        writeString(String(call.created))
        writeStaticString(",\"model\":")
        writeJSON(call.request.model)
    }
}
