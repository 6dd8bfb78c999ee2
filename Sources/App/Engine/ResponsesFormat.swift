import EngineModel
import NIOCore

/// `/v1/responses`: one message item with one text part.
struct ResponsesFormat: AnswerFormat {
    /// Where each event stands in its stream, and the text so far, which the closing events repeat.
    private final class Progress {
        var sequence = 0
        var text: [UInt8] = []
    }

    private let progress = Progress()

    func begin(_ call: EngineCall, to events: inout EventWriter) {
        event("response.created", to: &events) { writeResponse(call, status: "in_progress", named: true, &$0) }
        event("response.in_progress", to: &events) { writeResponse(call, status: "in_progress", named: true, &$0) }
        event("response.output_item.added", to: &events) { buffer in
            buffer.writeString(",\"output_index\":0,\"item\":")
            writeItem(call, status: "in_progress", hasPart: false, &buffer)
        }
        event("response.content_part.added", to: &events) { buffer in
            writePlace(call, &buffer)
            buffer.writeStaticString(",\"part\":")
            writePart([], &buffer)
        }
    }

    func token(_ call: EngineCall, branch: AnswerBranch, to events: inout EventWriter) {
        guard !branch.fresh.isEmpty else { return }
        progress.text += branch.fresh
        event("response.output_text.delta", to: &events) { buffer in
            writePlace(call, &buffer)
            buffer.writeStaticString(",\"delta\":\"")
            buffer.writeEscaped(branch.fresh)
            buffer.writeStaticString("\",\"logprobs\":[]")
        }
    }

    func end(_ call: EngineCall, to events: inout EventWriter) {
        event("response.output_text.done", to: &events) { buffer in
            writePlace(call, &buffer)
            buffer.writeStaticString(",\"text\":\"")
            buffer.writeEscaped(progress.text)
            buffer.writeStaticString("\",\"logprobs\":[]")
        }
        event("response.content_part.done", to: &events) { buffer in
            writePlace(call, &buffer)
            buffer.writeStaticString(",\"part\":")
            writePart(progress.text, &buffer)
        }
        event("response.output_item.done", to: &events) { buffer in
            buffer.writeString(",\"output_index\":0,\"item\":")
            writeItem(call, status: "completed", hasPart: true, &buffer)
        }
        event("response.completed", to: &events) { writeResponse(call, status: status(of: call), named: true, &$0) }
    }

    func whole(_ call: EngineCall) -> ByteBuffer {
        progress.text = call.branches[0].text
        var buffer = ByteBuffer()
        writeResponse(call, status: status(of: call), named: false, &buffer)
        return buffer
    }

    private func event(_ name: StaticString, to events: inout EventWriter, _ build: (inout ByteBuffer) -> Void) {
        let sequence = progress.sequence
        progress.sequence += 1
        events.named(name) { buffer in
            buffer.writeString("{\"type\":\"\(name)\",\"sequence_number\":\(sequence)")
            build(&buffer)
            buffer.writeStaticString("}")
        }
    }

    private func status(of call: EngineCall) -> String {
        call.branches[0].finish == .length ? "incomplete" : "completed"
    }

    /// The id of the one message item.
    private func item(of call: EngineCall) -> String { "msg_" + call.id.drop { $0 != "_" }.dropFirst() }

    private func writePlace(_ call: EngineCall, _ buffer: inout ByteBuffer) {
        buffer.writeStaticString(",\"output_index\":0,\"content_index\":0,\"item_id\":")
        buffer.writeJSON(item(of: call))
    }

    private func writePart(_ text: [UInt8], _ buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"annotations\":[],\"text\":\"")
        buffer.writeEscaped(text)
        buffer.writeStaticString("\",\"type\":\"output_text\",\"logprobs\":null}")
    }

    private func writeItem(_ call: EngineCall, status: String, hasPart: Bool, _ buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"id\":")
        buffer.writeJSON(item(of: call))
        buffer.writeStaticString(",\"content\":[")
        if hasPart { writePart(progress.text, &buffer) }
        buffer.writeString("],\"role\":\"assistant\",\"status\":\"\(status)\",\"type\":\"message\"}")
    }

    private func writeResponse(_ call: EngineCall, status: String, named: Bool, _ buffer: inout ByteBuffer) {
        let isDone = status != "in_progress"
        buffer.writeString(named ? ",\"response\":{\"id\":" : "{\"id\":")
        buffer.writeJSON(call.id)
        buffer.writeString(
            ",\"created_at\":\(call.created),\"incomplete_details\":\(status == "incomplete" ? "{\"reason\":\"max_output_tokens\"}" : "null"),\"instructions\":null,\"metadata\":null,\"model\":"
        )
        buffer.writeJSON(call.request.model)
        buffer.writeStaticString(",\"object\":\"response\",\"output\":[")
        if isDone { writeItem(call, status: "completed", hasPart: true, &buffer) }
        buffer.writeString(
            "],\"parallel_tool_calls\":true,\"temperature\":1.0,\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":1.0,\"background\":false,\"max_output_tokens\":\(call.request.maximumTokens.map(String.init) ?? "null"),\"previous_response_id\":null,\"service_tier\":\"auto\",\"status\":\"\(status)\",\"truncation\":\"disabled\",\"usage\":"
        )
        if isDone {
            let usage = call.usage
            buffer.writeString(
                "{\"input_tokens\":\(usage.prompt),\"input_tokens_details\":{\"cached_tokens\":\(usage.cached)},\"output_tokens\":\(usage.generated),\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":\(usage.prompt + usage.generated)}"
            )
        } else {
            buffer.writeStaticString("null")
        }
        buffer.writeStaticString(",\"user\":null}")
    }
}
