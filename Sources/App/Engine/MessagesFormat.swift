import EngineModel
import NIOCore

/// `/v1/messages` in Anthropic's shape.
struct MessagesFormat: AnswerFormat {
    var isAnthropic: Bool { true }

    func begin(_ call: EngineCall, to events: inout EventWriter) {
        events.named("message_start") { buffer in
            buffer.writeStaticString("{\"type\":\"message_start\",\"message\":")
            writeOpening(of: call, &buffer)
            buffer.writeString(
                "\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":\(call.request.promptTokens),\"output_tokens\":0}}}"
            )
        }
        events.named("content_block_start") { buffer in
            buffer.writeStaticString(
                "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}")
        }
    }

    func token(_ call: EngineCall, branch: AnswerBranch, to events: inout EventWriter) {
        guard !branch.fresh.isEmpty else { return }
        events.named("content_block_delta") { buffer in
            buffer.writeStaticString(
                "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"")
            buffer.writeEscaped(branch.fresh)
            buffer.writeStaticString("\"}}")
        }
    }

    func end(_ call: EngineCall, to events: inout EventWriter) {
        events.named("content_block_stop") { $0.writeStaticString("{\"type\":\"content_block_stop\",\"index\":0}") }
        events.named("message_delta") { buffer in
            buffer.writeStaticString("{\"type\":\"message_delta\",\"delta\":{")
            writeStop(of: call, &buffer)
            buffer.writeStaticString("},\"usage\":")
            writeUsage(of: call, &buffer)
            buffer.writeStaticString("}")
        }
        events.named("message_stop") { $0.writeStaticString("{\"type\":\"message_stop\"}") }
    }

    func whole(_ call: EngineCall) -> ByteBuffer {
        var buffer = ByteBuffer()
        writeOpening(of: call, &buffer)
        buffer.writeStaticString("\"content\":[{\"type\":\"text\",\"text\":\"")
        buffer.writeEscaped(call.branches[0].text)
        buffer.writeStaticString("\"}],")
        writeStop(of: call, &buffer)
        buffer.writeStaticString(",\"usage\":")
        writeUsage(of: call, &buffer)
        buffer.writeStaticString("}")
        return buffer
    }

    private func writeOpening(of call: EngineCall, _ buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"id\":")
        buffer.writeJSON(call.id)
        buffer.writeStaticString(",\"type\":\"message\",\"role\":\"assistant\",\"model\":")
        buffer.writeJSON(call.request.model)
        buffer.writeStaticString(",")
    }

    private func writeStop(of call: EngineCall, _ buffer: inout ByteBuffer) {
        let branch = call.branches[0]
        let reason =
            branch.stopText != nil ? "stop_sequence" : branch.finish == .length ? "max_tokens" : "end_turn"
        buffer.writeString("\"stop_reason\":\"\(reason)\",\"stop_sequence\":")
        buffer.writeJSON(branch.stopText)
    }

    private func writeUsage(of call: EngineCall, _ buffer: inout ByteBuffer) {
        let usage = call.usage
        buffer.writeString(
            "{\"input_tokens\":\(usage.prompt),\"output_tokens\":\(usage.generated),\"cache_read_input_tokens\":\(usage.cached)}"
        )
    }
}
