import EngineModel

/// Turns request bodies into what the engine runs, with vLLM's checks and messages.
struct RequestReader {
    let options: EngineOptions
    let tokenizer: Tokenizer

    private var modelLength: Int { options.engine.maximumModelLength }

    /// The name that answers carry, and the seed of the model or adapter that a request names.
    func model(named name: String?) throws(EngineRefusal) -> (name: String, seed: UInt64) {
        let base = textDigest(options.model)
        guard let name else { return (options.model, base) }
        if options.baseNames.contains(name) { return (options.model, base) }
        guard options.adapters.contains(name) else { throw .modelNotFound(name) }
        return (name, textDigest(name, seed: base))
    }

    func chat(_ body: JSONValue) throws(EngineRefusal) -> GenerationRequest {
        let fields = try BodyFields(body)
        guard let messages = try fields.array("messages"), !messages.isEmpty else {
            throw .badRequest("Field required: messages must be a list of at least one message.", parameter: "messages")
        }
        var request = try generation(fields)
        let legacyLimit = try fields.integer("max_tokens")
        request.maximumTokens = try fields.integer("max_completion_tokens") ?? legacyLimit
        request.prompts = [try template(fields, messages: messages)]
        try checkLengths(request)
        return request
    }

    func completion(_ body: JSONValue) throws(EngineRefusal) -> GenerationRequest {
        let fields = try BodyFields(body)
        var request = try generation(fields)
        request.maximumTokens = try fields.integer("max_tokens") ?? 16
        request.echoes = try fields.flag("echo") ?? false
        guard let prompt = body["prompt"] else { throw .badRequest("Field required: prompt", parameter: "prompt") }
        request.prompts = try prompts(prompt, parameter: "prompt")
        try checkLengths(request)
        return request
    }

    func responses(_ body: JSONValue) throws(EngineRefusal) -> GenerationRequest {
        let fields = try BodyFields(body)
        if let previous = try fields.text("previous_response_id") {
            throw EngineRefusal(
                status: 404, type: "invalid_request_error", message: "Response with id '\(previous)' not found.")
        }
        var request = try generation(fields)
        request.maximumTokens = try fields.integer("max_output_tokens")
        var messages: [JSONValue] = []
        if let instructions = try fields.text("instructions") {
            messages.append(ChatTemplate.message(role: "system", text: instructions))
        }
        switch body["input"] {
        case .string(let text): messages.append(ChatTemplate.message(role: "user", text: text))
        case .array(let items) where !items.isEmpty: messages += items
        default: throw .badRequest("Field required: input must be a text or a list of items.", parameter: "input")
        }
        request.prompts = [try ChatTemplate(tokenizer: tokenizer).tokens(messages)]
        try checkLengths(request)
        return request
    }

    func messages(_ body: JSONValue) throws(EngineRefusal) -> GenerationRequest {
        let fields = try BodyFields(body)
        var request = try generation(fields)
        request.prompts = [try anthropicPrompt(body)]
        guard let limit = try fields.integer("max_tokens") else {
            throw .badRequest("Field required: max_tokens", parameter: "max_tokens")
        }
        request.maximumTokens = limit
        request.stop = try fields.texts("stop_sequences")
        try checkLengths(request)
        return request
    }

    /// The tokens of a `/v1/messages` body, which `/v1/messages/count_tokens` takes too.
    func anthropicPrompt(_ body: JSONValue) throws(EngineRefusal) -> [Int32] {
        guard let messages = body["messages"]?.array, !messages.isEmpty else {
            throw .badRequest("Field required: messages must be a list of at least one message.", parameter: "messages")
        }
        var all: [JSONValue] = []
        if let system = body["system"] {
            all.append(.object([.init(name: "role", value: .string("system")), .init(name: "content", value: system)]))
        }
        return try ChatTemplate(tokenizer: tokenizer).tokens(all + messages)
    }

    /// Inputs of embeddings, scores and rankings: prefill only.
    func pooling(_ body: JSONValue, inputs: [[Int32]]) throws(EngineRefusal) -> GenerationRequest {
        let fields = try BodyFields(body)
        let model = try model(named: fields.text("model"))
        var request = GenerationRequest(model: model.name, modelSeed: model.seed, prompts: inputs)
        request.maximumTokens = 0
        request.priority = try priority(fields)
        for input in inputs where input.count > modelLength {
            throw .badRequest(
                "This model's maximum context length is \(modelLength) tokens. However, you requested \(input.count) tokens in the input. Please reduce the length of the input.",
                parameter: "input")
        }
        return request
    }

    /// A text, a list of texts, a list of token ids, or a list of lists of token ids.
    func prompts(_ value: JSONValue, parameter: String) throws(EngineRefusal) -> [[Int32]] {
        switch value {
        case .string(let text): return [encoded(text)]
        case .array(let items) where !items.isEmpty:
            if items[0].integer != nil { return [try tokenIDs(items, parameter)] }
            var prompts: [[Int32]] = []
            for item in items {
                switch item {
                case .string(let text): prompts.append(encoded(text))
                case .array(let ids) where !ids.isEmpty: prompts.append(try tokenIDs(ids, parameter))
                default: throw wrongPrompt(parameter)
                }
            }
            return prompts
        default: throw wrongPrompt(parameter)
        }
    }

    private func wrongPrompt(_ parameter: String) -> EngineRefusal {
        .badRequest(
            "\(parameter) must be a text, a list of texts, a list of token ids or a list of such lists, and not empty.",
            parameter: parameter)
    }

    private func encoded(_ text: String) -> [Int32] {
        var tokens = [Token.beginning]
        tokenizer.encode(text, into: &tokens)
        return tokens
    }

    func tokenIDs(_ items: [JSONValue], _ parameter: String) throws(EngineRefusal) -> [Int32] {
        var tokens: [Int32] = []
        tokens.reserveCapacity(items.count)
        for item in items {
            guard let id = item.integer, (0..<Int(Token.count)).contains(id) else {
                throw .badRequest("Token id out of vocabulary in \(parameter).", parameter: parameter)
            }
            tokens.append(Int32(id))
        }
        return tokens
    }

    /// The prompt of a chat body, which `/tokenize` takes too.
    func template(_ fields: BodyFields, messages: [JSONValue]) throws(EngineRefusal) -> [Int32] {
        let continues = try fields.flag("continue_final_message") ?? false
        let opens = try fields.flag("add_generation_prompt") ?? true
        if continues, opens {
            throw .badRequest("Cannot set both `continue_final_message` and `add_generation_prompt` to True.")
        }
        return try ChatTemplate(tokenizer: tokenizer).tokens(
            messages, opensAnswer: opens, continuesFinalMessage: continues)
    }

    /// The fields that all generating APIs share. The prompts are empty.
    private func generation(_ fields: BodyFields) throws(EngineRefusal) -> GenerationRequest {
        let model = try model(named: fields.text("model"))
        var request = GenerationRequest(model: model.name, modelSeed: model.seed, prompts: [])
        request.choices = try fields.integer("n") ?? 1
        guard request.choices >= 1 else {
            throw .badRequest("n must be at least 1, got \(request.choices).", parameter: "n")
        }
        request.minimumTokens = try fields.integer("min_tokens") ?? 0
        request.streams = try fields.flag("stream") ?? false
        if let options = fields.body["stream_options"] {
            request.includesUsage = options["include_usage"]?.flag ?? false
            request.continuousUsage = request.includesUsage && options["continuous_usage_stats"]?.flag ?? false
        }
        request.stop = try fields.texts("stop")
        request.includesStop = try fields.flag("include_stop_str_in_output") ?? false
        request.stopTokens = try tokenIDs(fields.array("stop_token_ids") ?? [], "stop_token_ids")
        request.ignoresEnd = try fields.flag("ignore_eos") ?? false
        request.priority = try priority(fields)
        request.returnsTokenIDs = try fields.flag("return_token_ids") ?? false
        if let salt = try fields.text("cache_salt") { request.cacheSalt = textDigest(salt) }
        try readSampling(fields, into: &request)
        return request
    }

    /// Answers are greedy-like whatever the temperature. A seed with a temperature, and penalties, make each draw
    /// depend on its position in this answer, which is what keeps real engines from continuing such answers exactly.
    private func readSampling(_ fields: BodyFields, into request: inout GenerationRequest) throws(EngineRefusal) {
        let temperature = try fields.number("temperature") ?? 1
        guard temperature >= 0 else {
            throw .badRequest("temperature must be non-negative, got \(temperature).", parameter: "temperature")
        }
        if let share = try fields.number("top_p"), !(share > 0 && share <= 1) {
            throw .badRequest("top_p must be in (0, 1], got \(share).", parameter: "top_p")
        }
        var salt: UInt64 = 0
        if temperature > 0, let seed = try fields.integer("seed") {
            salt = textDigest("seed", seed: UInt64(bitPattern: Int64(seed)))
        }
        for name in ["frequency_penalty", "presence_penalty"] {
            guard let penalty = try fields.number(name), penalty != 0 else { continue }
            guard abs(penalty) <= 2 else {
                throw .badRequest("\(name) must be in [-2, 2], got \(penalty).", parameter: name)
            }
            salt ^= textDigest(name, seed: penalty.bitPattern)
        }
        request.sampling = salt
        request.dependsOnPosition = salt != 0
    }

    private func priority(_ fields: BodyFields) throws(EngineRefusal) -> Int {
        let priority = try fields.integer("priority") ?? 0
        guard priority == 0 || options.engine.policy == .priority else {
            throw .badRequest(
                "Got priority \(priority) but priority scheduling is not enabled.", parameter: "priority")
        }
        return priority
    }

    private func checkLengths(_ request: GenerationRequest) throws(EngineRefusal) {
        if let limit = request.maximumTokens, limit < 1 {
            throw .badRequest("max_tokens must be at least 1, got \(limit).", parameter: "max_tokens")
        }
        if let limit = request.maximumTokens, request.minimumTokens > limit {
            throw .badRequest(
                "min_tokens must be less than or equal to max_tokens=\(limit), got \(request.minimumTokens).",
                parameter: "min_tokens")
        }
        if request.minimumTokens < 0 {
            throw .badRequest("min_tokens must be at least 0, got \(request.minimumTokens).", parameter: "min_tokens")
        }
        let (sequences, overflow) = request.choices.multipliedReportingOverflow(by: request.prompts.count)
        if overflow || sequences > options.limits.sequences {
            throw .badRequest("n times the prompts is over the limit of \(options.limits.sequences).", parameter: "n")
        }
        for prompt in request.prompts { try checkLength(of: prompt.count, request.maximumTokens) }
    }

    private func checkLength(of tokens: Int, _ maximumTokens: Int?) throws(EngineRefusal) {
        if tokens + 1 > modelLength {
            throw .badRequest(
                "This model's maximum context length is \(modelLength) tokens. However, your request has \(tokens) input tokens. Please reduce the length of the input messages.",
                parameter: "input_tokens")
        }
        if let maximumTokens, maximumTokens > modelLength - tokens {
            throw .badRequest(
                "'max_tokens' or 'max_completion_tokens' is too large: \(maximumTokens). This model's maximum context length is \(modelLength) tokens and your request has \(tokens) input tokens (\(maximumTokens) > \(modelLength) - \(tokens)).",
                parameter: "max_tokens")
        }
    }
}
