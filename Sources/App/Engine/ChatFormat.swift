import NIOCore

/// `/v1/chat/completions` as vLLM writes it.
struct ChatFormat: AnswerFormat {
    func begin(_ call: EngineCall, to events: inout EventWriter) {
        for branch in call.branches {
            events.data { buffer in
                buffer.writeOpening(of: call, object: "chat.completion.chunk")
                buffer.writeString(
                    ",\"choices\":[{\"index\":\(branch.index),\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,\"finish_reason\":null}]"
                )
                buffer.writeTokenIDs("prompt_token_ids", call.request.returnsTokenIDs ? call.request.prompts[0] : nil)
                writeContinuousUsage(
                    AnswerUsage(prompt: call.request.promptTokens, generated: 0, cached: 0), call, &buffer)
                buffer.writeStaticString("}")
            }
        }
    }

    func token(_ call: EngineCall, branch: AnswerBranch, to events: inout EventWriter) {
        events.data { buffer in
            buffer.writeOpening(of: call, object: "chat.completion.chunk")
            buffer.writeStaticString(",\"choices\":[{\"index\":")
            buffer.writeString(String(branch.index))
            buffer.writeStaticString(",\"delta\":{\"content\":\"")
            buffer.writeEscaped(branch.fresh)
            buffer.writeStaticString("\"},\"logprobs\":null")
            buffer.writeFinish(of: branch)
            buffer.writeTokenIDs("token_ids", call.request.returnsTokenIDs ? [branch.newest] : nil)
            buffer.writeStaticString("}]")
            writeContinuousUsage(call.usage, call, &buffer)
            buffer.writeStaticString("}")
        }
    }

    func end(_ call: EngineCall, to events: inout EventWriter) {
        if call.request.includesUsage {
            events.data { buffer in
                buffer.writeOpening(of: call, object: "chat.completion.chunk")
                buffer.writeStaticString(",\"choices\":[],\"usage\":")
                buffer.writeUsage(call.usage)
                buffer.writeStaticString("}")
            }
        }
        events.data { $0.writeStaticString("[DONE]") }
    }

    func whole(_ call: EngineCall) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeOpening(of: call, object: "chat.completion")
        buffer.writeStaticString(",\"choices\":[")
        for (position, branch) in call.branches.enumerated() {
            buffer.writeString(
                "\(position > 0 ? "," : ""){\"index\":\(branch.index),\"message\":{\"role\":\"assistant\",\"content\":\""
            )
            buffer.writeEscaped(branch.text)
            buffer.writeStaticString(
                "\",\"refusal\":null,\"annotations\":null,\"audio\":null,\"function_call\":null,\"tool_calls\":[],\"reasoning\":null},\"logprobs\":null"
            )
            buffer.writeFinish(of: branch)
            buffer.writeTokenIDs("token_ids", call.request.returnsTokenIDs ? branch.tokens : nil)
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("],\"service_tier\":null,\"system_fingerprint\":null,\"usage\":")
        buffer.writeUsage(call.usage)
        buffer.writeStaticString(",\"prompt_logprobs\":null")
        buffer.writeTokenIDs("prompt_token_ids", call.request.returnsTokenIDs ? call.request.prompts[0] : nil)
        buffer.writeStaticString(",\"kv_transfer_params\":null}")
        return buffer
    }

    private func writeContinuousUsage(_ usage: AnswerUsage, _ call: EngineCall, _ buffer: inout ByteBuffer) {
        guard call.request.continuousUsage else { return }
        buffer.writeStaticString(",\"usage\":")
        buffer.writeUsage(usage)
    }
}
