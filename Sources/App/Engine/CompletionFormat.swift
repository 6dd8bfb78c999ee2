import EngineModel
import NIOCore

/// `/v1/completions` as vLLM writes it.
struct CompletionFormat: AnswerFormat {
    let tokenizer: Tokenizer

    func begin(_ call: EngineCall, to events: inout EventWriter) {}

    func token(_ call: EngineCall, branch: AnswerBranch, to events: inout EventWriter) {
        let isFirst = branch.generated == 1
        events.data { buffer in
            buffer.writeOpening(of: call, object: "text_completion")
            buffer.writeString(",\"choices\":[{\"index\":\(branch.index),\"text\":\"")
            if isFirst { writeEcho(of: branch, call, &buffer) }
            buffer.writeEscaped(branch.fresh)
            buffer.writeStaticString("\",\"logprobs\":null")
            buffer.writeFinish(of: branch)
            let wanted = call.request.returnsTokenIDs
            buffer.writeTokenIDs("prompt_token_ids", wanted && isFirst ? call.request.prompts[branch.prompt] : nil)
            buffer.writeTokenIDs("token_ids", wanted ? [branch.newest] : nil)
            buffer.writeStaticString("}]")
            if call.request.continuousUsage {
                buffer.writeStaticString(",\"usage\":")
                buffer.writeUsage(call.usage)
            }
            buffer.writeStaticString("}")
        }
    }

    func end(_ call: EngineCall, to events: inout EventWriter) {
        if call.request.includesUsage {
            events.data { buffer in
                buffer.writeOpening(of: call, object: "text_completion")
                buffer.writeStaticString(",\"choices\":[],\"usage\":")
                buffer.writeUsage(call.usage)
                buffer.writeStaticString("}")
            }
        }
        events.data { $0.writeStaticString("[DONE]") }
    }

    func whole(_ call: EngineCall) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.writeOpening(of: call, object: "text_completion")
        buffer.writeStaticString(",\"choices\":[")
        for (position, branch) in call.branches.enumerated() {
            buffer.writeString("\(position > 0 ? "," : ""){\"index\":\(branch.index),\"text\":\"")
            writeEcho(of: branch, call, &buffer)
            buffer.writeEscaped(branch.text)
            buffer.writeStaticString("\",\"logprobs\":null")
            buffer.writeFinish(of: branch)
            let wanted = call.request.returnsTokenIDs
            buffer.writeTokenIDs("token_ids", wanted ? branch.tokens : nil)
            buffer.writeStaticString(",\"prompt_logprobs\":null")
            buffer.writeTokenIDs("prompt_token_ids", wanted ? call.request.prompts[branch.prompt] : nil)
            buffer.writeStaticString("}")
        }
        buffer.writeStaticString("],\"service_tier\":null,\"system_fingerprint\":null,\"usage\":")
        buffer.writeUsage(call.usage)
        buffer.writeStaticString(",\"kv_transfer_params\":null}")
        return buffer
    }

    private func writeEcho(of branch: AnswerBranch, _ call: EngineCall, _ buffer: inout ByteBuffer) {
        guard call.request.echoes else { return }
        buffer.writeEscaped(Array(tokenizer.decode(call.request.prompts[branch.prompt]).utf8))
    }
}
