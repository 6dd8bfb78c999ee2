import EngineModel
import NIOCore
import NIOHTTP1

extension EngineRoom {
    /// Answers one request, now or when the engine is done with it.
    func serve(_ head: HTTPRequestHead, body: ByteBuffer, on connection: EngineConnection) {
        let path = String(head.uri.prefix { $0 != "?" })
        if path.hasPrefix("/admin/") { return serveAdmin(head.method, path: path, body: body, on: connection) }
        guard isReady else { return connection.refuse(.loading) }
        switch head.method {
        case .GET: serveGet(path, on: connection)
        case .POST: servePost(path, body: body, on: connection)
        default: connection.refuse(.methodNotAllowed)
        }
    }

    private func serveGet(_ path: String, on connection: EngineConnection) {
        switch path {
        case "/health", "/ping": connection.respond(status: faults.unhealthy ? 503 : 200, body: ByteBuffer())
        case "/version": connection.respond(body: ByteBuffer(string: "{\"version\":\"\(Version.text)+neap\"}"))
        case "/load": connection.respond(body: ByteBuffer(string: "{\"server_load\":\(activeCalls)}"))
        case "/v1/models": connection.respond(body: modelList())
        case "/metrics":
            if faults.metricsMissing { return connection.refuse(.notFound) }
            connection.respond(type: "text/plain; version=0.0.4; charset=utf-8", body: metrics())
        case let path where EngineRoom.generatingPaths.contains(path): connection.refuse(.methodNotAllowed)
        default: connection.refuse(.notFound)
        }
    }

    static let generatingPaths: Set<String> = [
        "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages", "/v1/embeddings", "/v1/rerank",
        "/rerank", "/v2/rerank", "/v1/score", "/score",
    ]

    private func servePost(_ path: String, body: ByteBuffer, on connection: EngineConnection) {
        let isAnthropic = path.hasPrefix("/v1/messages")
        do throws(EngineRefusal) {
            if EngineRoom.generatingPaths.contains(path) {
                try generate(path, body: body, on: connection)
            } else {
                switch path {
                case "/ping": connection.respond(body: ByteBuffer())
                case "/tokenize": connection.respond(body: try tokenize(try document(body)))
                case "/detokenize": connection.respond(body: try detokenize(try document(body)))
                case "/v1/messages/count_tokens":
                    let count = try reader.anthropicPrompt(try document(body)).count
                    connection.respond(body: ByteBuffer(string: "{\"input_tokens\":\(count)}"))
                case "/reset_prefix_cache":
                    engine.resetPrefixCache()
                    connection.respond(body: ByteBuffer())
                default: throw .notFound
                }
            }
        } catch {
            connection.refuse(error, isAnthropic: isAnthropic)
        }
    }

    func document(_ body: ByteBuffer) throws(EngineRefusal) -> JSONValue {
        let result: Result<JSONValue, JSONReader.Failure> = body.withUnsafeReadableBytes { bytes in
            let bytes = bytes.bindMemory(to: UInt8.self)
            do throws(JSONReader.Failure) { return .success(try JSONReader.read(bytes)) } catch {
                return .failure(error)
            }
        }
        switch result {
        case .success(let value): return value
        case .failure(let failure):
            throw EngineRefusal(
                status: 400, type: "Bad Request",
                message: "JSON decode error: \(failure.message) at byte \(failure.offset)")
        }
    }

    // MARK: - Generation

    private func generate(_ path: String, body: ByteBuffer, on connection: EngineConnection) throws(EngineRefusal) {
        if let marker = faults.crashOn, contains(marker, in: body) { return crash() }
        let fault = drawFault()
        if let fault, fault.refuse {
            throw EngineRefusal(
                status: fault.refuseStatus, type: "ServiceUnavailableError", message: "The request queue is full.")
        }
        let document = try document(body)
        let (request, format, prefix) = try read(path, document)
        if let fault, fault.resetBeforeFirstByte { return connection.reset() }
        if let refusal = refusal(of: request) { throw refusal }
        let id = makeID(prefix: prefix, requestID: connection.requestID)
        let call = EngineCall(
            .init(id: id, created: wallTime, fault: fault), request: request, format: format, tokenizer: tokenizer)
        connection.begin(call)
        if let fault, fault.errorFirst, request.streams {
            call.isOver = true
            return connection.endWithError(call, .overloaded("The request queue is full."))
        }
        start(call)
    }

    private func contains(_ marker: String, in body: ByteBuffer) -> Bool {
        let marker = Array(marker.utf8)
        return body.withUnsafeReadableBytes { bytes in
            guard bytes.count >= marker.count else { return false }
            return (0...bytes.count - marker.count).contains { bytes[$0...].starts(with: marker) }
        }
    }

    private typealias Read = (request: GenerationRequest, format: any AnswerFormat, prefix: String)

    private func read(_ path: String, _ document: JSONValue) throws(EngineRefusal) -> Read {
        switch path {
        case "/v1/chat/completions": return (try reader.chat(document), ChatFormat(), "chatcmpl-")
        case "/v1/completions":
            return (try reader.completion(document), CompletionFormat(tokenizer: tokenizer), "cmpl-")
        case "/v1/responses": return (try reader.responses(document), ResponsesFormat(), "resp_")
        case "/v1/messages": return (try reader.messages(document), MessagesFormat(), "msg_")
        case "/v1/embeddings": return try readEmbeddings(document)
        case "/v1/score", "/score": return try readScores(document)
        default: return try readRanking(document)
        }
    }

    private func readEmbeddings(_ document: JSONValue) throws(EngineRefusal) -> Read {
        let fields = try BodyFields(document)
        guard let input = document["input"] else { throw .badRequest("Field required: input", parameter: "input") }
        let dimensions = try fields.integer("dimensions") ?? PoolingFormat.dimensions
        guard (1...8192).contains(dimensions) else {
            throw .badRequest("dimensions must be in 1...8192, got \(dimensions).", parameter: "dimensions")
        }
        let encoding = try fields.text("encoding_format") ?? "float"
        guard encoding == "float" || encoding == "base64" else {
            throw .badRequest("encoding_format must be float or base64, got \(encoding).", parameter: "encoding_format")
        }
        let request = try reader.pooling(document, inputs: try reader.prompts(input, parameter: "input"))
        let kind = PoolingFormat.Kind.embeddings(dimensions: dimensions, isBase64: encoding == "base64")
        return (request, PoolingFormat(kind: kind), "embd-")
    }

    private func readScores(_ document: JSONValue) throws(EngineRefusal) -> Read {
        let fields = try BodyFields(document)
        let left = try fields.texts(document["text_1"] == nil ? "queries" : "text_1")
        let right = try fields.texts(document["text_2"] == nil ? "documents" : "text_2")
        guard !left.isEmpty, !right.isEmpty, left.count == 1 || left.count == right.count else {
            throw .badRequest("text_1 must be one text, or as many as text_2.", parameter: "text_1")
        }
        let pairs = right.indices.map { (left.count == 1 ? left[0] : left[$0]) + "\n" + right[$0] }
        let request = try reader.pooling(document, inputs: pairs.map { tokenizer.encode($0) })
        return (request, PoolingFormat(kind: .scores), "score-")
    }

    private func readRanking(_ document: JSONValue) throws(EngineRefusal) -> Read {
        let fields = try BodyFields(document)
        let documents = try fields.texts("documents")
        guard let query = try fields.text("query"), !documents.isEmpty else {
            throw .badRequest("Field required: query and documents", parameter: "query")
        }
        let request = try reader.pooling(document, inputs: documents.map { tokenizer.encode(query + "\n" + $0) })
        var top = try fields.integer("top_n") ?? 0
        if top < 1 { top = documents.count }
        return (request, PoolingFormat(kind: .ranking(documents: documents, top: top)), "rerank-")
    }

    // MARK: - Small answers

    private func tokenize(_ document: JSONValue) throws(EngineRefusal) -> ByteBuffer {
        let fields = try BodyFields(document)
        _ = try reader.model(named: fields.text("model"))
        var tokens: [Int32] = []
        if let messages = try fields.array("messages") {
            tokens = try reader.template(fields, messages: messages)
        } else if let prompt = try fields.text("prompt") {
            if try fields.flag("add_special_tokens") ?? true { tokens.append(Token.beginning) }
            tokenizer.encode(prompt, into: &tokens)
        } else {
            throw .badRequest("Field required: prompt or messages", parameter: "prompt")
        }
        var buffer = ByteBuffer()
        buffer.writeString(
            "{\"count\":\(tokens.count),\"max_model_len\":\(options.engine.maximumModelLength),\"tokens\":")
        buffer.writeJSON(tokens)
        buffer.writeString(",\"token_strs\":null}")
        return buffer
    }

    private func detokenize(_ document: JSONValue) throws(EngineRefusal) -> ByteBuffer {
        let fields = try BodyFields(document)
        _ = try reader.model(named: fields.text("model"))
        let tokens = try reader.tokenIDs(fields.array("tokens") ?? [], "tokens")
        var buffer = ByteBuffer(string: "{\"prompt\":")
        buffer.writeJSON(tokenizer.decode(tokens))
        buffer.writeString("}")
        return buffer
    }

    private func modelList() -> ByteBuffer {
        var buffer = ByteBuffer(string: "{\"object\":\"list\",\"data\":[")
        for (index, name) in (options.baseNames + options.adapters).enumerated() {
            let isBase = index < options.baseNames.count
            buffer.writeString(index > 0 ? ",{\"id\":" : "{\"id\":")
            buffer.writeJSON(name)
            buffer.writeString(",\"object\":\"model\",\"created\":\(wallTime),\"owned_by\":\"vllm\",\"root\":")
            buffer.writeJSON(isBase ? options.root : name)
            buffer.writeString(",\"parent\":")
            buffer.writeJSON(isBase ? nil : options.model)
            buffer.writeString(
                ",\"max_model_len\":\(isBase ? String(options.engine.maximumModelLength) : "null"),\"permission\":[]}")
        }
        buffer.writeString("]}")
        return buffer
    }

    private func metrics() -> ByteBuffer {
        var text = EngineMetricsText(model: options.model)
        text.writeGauges(engine.gauges, faults: faults)
        text.writeConfiguration(options.engine)
        text.writeCounters(engine.counters)
        text.writeStatistics(statistics)
        text.writeAdapters(options.adapters, running: runningAdapters(), time: wallTime)
        return text.buffer
    }
}
