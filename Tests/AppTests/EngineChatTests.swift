import EngineModel
import NIOCore
import Testing

@testable import App

/// What a client sees of a healthy engine.
@Suite(.timeLimit(.minutes(2))) struct EngineChatTests {
    static let chat = "/v1/chat/completions"

    static func body(_ text: String, _ more: String = "") -> String {
        "{\"model\":\"tide\",\"messages\":[{\"role\":\"user\",\"content\":\"\(text)\"}]\(more)}"
    }

    @Test func aStreamSaysWhatTheWholeAnswerSays() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            let more = ",\"max_tokens\":120,\"ignore_eos\":true"
            let whole = try await client.ask("POST", Self.chat, Self.body("Hello sea", more)).json()
            #expect(whole["object"]?.text == "chat.completion")
            #expect(whole.finishReason == "length")
            #expect(whole["usage"]?["completion_tokens"]?.integer == 120)
            #expect(whole["usage"]?["prompt_tokens_details"] == nil)
            try await client.send(
                "POST", Self.chat,
                Self.body("Hello sea", more + ",\"stream\":true,\"stream_options\":{\"include_usage\":true}"))
            let events = try await client.events()
            #expect(events.last == "[DONE]")
            let chunks = try events.dropLast().map { try JSONReader.read($0) }
            #expect(chunks.compactMap(\.choiceText).joined() == whole.choiceText)
            #expect(chunks.first?["choices"]?.array?.first?["delta"]?["role"]?.text == "assistant")
            #expect(chunks.compactMap(\.finishReason) == ["length"])
            #expect(chunks.count == 122, "a role, 120 tokens, the usage")
            #expect(chunks.last?["choices"] == .array([]))
            #expect(chunks.last?["usage"]?["total_tokens"] == whole["usage"]?["total_tokens"])
            #expect(Set(chunks.compactMap { $0["id"]?.text }).count == 1)
        }
    }

    @Test func cachedTokensAndContinuousUsageAreTold() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            let long = String(repeating: "the tide turns ", count: 20)
            let first = try await client.ask("POST", Self.chat, Self.body(long, ",\"max_tokens\":1")).json()
            let prompt = try #require(first["usage"]?["prompt_tokens"]?.integer)
            let again = try await client.ask("POST", Self.chat, Self.body(long, ",\"max_tokens\":1")).json()
            #expect(again["usage"]?["prompt_tokens_details"]?["cached_tokens"]?.integer == (prompt - 1) / 16 * 16)
            try await client.send(
                "POST", Self.chat,
                Self.body(
                    "count",
                    ",\"max_tokens\":3,\"ignore_eos\":true,\"stream\":true,\"stream_options\":{\"include_usage\":true,\"continuous_usage_stats\":true}"
                ))
            let chunks = try await client.events().dropLast().map { try JSONReader.read($0) }
            #expect(chunks.map { $0["usage"]?["completion_tokens"]?.integer } == [0, 1, 2, 3, 3])
        }
    }

    @Test func aCutStreamResumedByTokenIDsIsTheWhole() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            let more = ",\"max_tokens\":60,\"ignore_eos\":true,\"stream\":true,\"return_token_ids\":true"
            try await client.send("POST", Self.chat, Self.body("Resume me", more))
            let chunks = try await client.events().dropLast().map { try JSONReader.read($0) }
            let prompt = try #require(chunks.first).tokens("prompt_token_ids")
            let ids = chunks.flatMap { $0["choices"]?.array?.first?.tokens("token_ids") ?? [] }
            #expect(!prompt.isEmpty && ids.count == 60)
            let text = chunks.compactMap(\.choiceText).joined()
            for cut in [1, 13, 27, 44] {
                let start = (prompt + ids.prefix(cut)).map(String.init).joined(separator: ",")
                let rest = try await client.ask(
                    "POST", "/v1/completions",
                    "{\"model\":\"tide\",\"prompt\":[\(start)],\"max_tokens\":\(60 - cut),\"ignore_eos\":true,\"return_token_ids\":true}"
                ).json()
                let choice = try #require(rest["choices"]?.array?.first)
                #expect(choice.tokens("token_ids") == Array(ids.dropFirst(cut)))
                let shown = chunks.dropFirst().prefix(cut).compactMap(\.choiceText).joined()
                #expect(shown + (rest.choiceText ?? "") == text)
            }
        }
    }

    @Test func aStopStringAcrossTokensEndsTheStreamUnseen() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            let free = try await client.ask(
                "POST", Self.chat, Self.body("stop me", ",\"max_tokens\":200,\"ignore_eos\":true")
            ).json()
            let text = try #require(free.choiceText)
            // Twelve characters span at least three tokens of at most five.
            let stop = String(text.dropFirst(40).prefix(12))
            let before = String(text[..<(try #require(text.firstRange(of: stop)).lowerBound)])
            var buffer = ByteBuffer()
            buffer.writeJSON(stop)
            let more = ",\"max_tokens\":200,\"ignore_eos\":true,\"stop\":[\(String(buffer: buffer))]"
            let whole = try await client.ask("POST", Self.chat, Self.body("stop me", more)).json()
            #expect(whole.choiceText == before)
            #expect(whole.finishReason == "stop")
            #expect(whole["choices"]?.array?.first?["stop_reason"]?.text == stop)
            try await client.send("POST", Self.chat, Self.body("stop me", more + ",\"stream\":true"))
            let chunks = try await client.events().dropLast().map { try JSONReader.read($0) }
            #expect(chunks.compactMap(\.choiceText).joined() == before)
            #expect(chunks.compactMap(\.finishReason) == ["stop"])
            let books = try await state(port: port) { $0["running"] == 0 }
            #expect(books["finished_stop"] == 2 && books["aborted"] == 0)
        }
    }

    @Test func choicesAndPromptListsKeepTheirPlaces() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            let answer = try await client.ask(
                "POST", "/v1/completions",
                "{\"model\":\"tide\",\"prompt\":[\"one\",\"two\"],\"n\":2,\"max_tokens\":20,\"ignore_eos\":true}"
            ).json()
            let choices = try #require(answer["choices"]?.array)
            #expect(choices.compactMap { $0["index"]?.integer } == [0, 1, 2, 3])
            #expect(Set(choices.compactMap { $0["text"]?.text }).count == 4)
            #expect(answer["usage"]?["completion_tokens"]?.integer == 80)
            let alone = try await client.ask(
                "POST", "/v1/completions",
                "{\"model\":\"tide\",\"prompt\":\"two\",\"max_tokens\":20,\"ignore_eos\":true}"
            ).json()
            #expect(alone.choiceText == choices[2]["text"]?.text)
        }
    }

    @Test func aFinalMessageCanBeContinued() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            let messages =
                "[{\"role\":\"user\",\"content\":\"hi\"},{\"role\":\"assistant\",\"content\":\"the tide\"}]"
            let open = try await client.ask(
                "POST", "/tokenize",
                "{\"messages\":\(messages),\"add_generation_prompt\":false,\"continue_final_message\":true}"
            ).json().tokens("tokens")
            let closed = try await client.ask("POST", "/tokenize", "{\"messages\":\(messages)}").json().tokens("tokens")
            #expect(open + [Int(Token.endOfTurn), Int(Token.assistant)] == closed)
            let both = try await client.ask(
                "POST", Self.chat,
                "{\"model\":\"tide\",\"messages\":\(messages),\"continue_final_message\":true}")
            #expect(both.status == 400)
        }
    }

    @Test func otherAPIsAnswerInTheirOwnShape() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            let chat = try await client.ask(
                "POST", Self.chat, Self.body("Hi", ",\"max_tokens\":9,\"ignore_eos\":true")
            ).json()
            let message = try await client.ask(
                "POST", "/v1/messages", Self.body("Hi", ",\"max_tokens\":9,\"ignore_eos\":true")
            ).json()
            #expect(message["content"]?.array?.first?["text"]?.text == chat.choiceText)
            #expect(message["stop_reason"]?.text == "max_tokens")
            let response = try await client.ask(
                "POST", "/v1/responses",
                "{\"model\":\"tide\",\"input\":\"Hi\",\"max_output_tokens\":9,\"ignore_eos\":true}"
            ).json()
            let part = response["output"]?.array?.first?["content"]?.array?.first
            #expect(part?["text"]?.text == chat.choiceText)
            #expect(response["status"]?.text == "incomplete")
            try await client.send(
                "POST", "/v1/messages", Self.body("Hi", ",\"max_tokens\":9,\"ignore_eos\":true,\"stream\":true"))
            let events = try await client.events().map { try JSONReader.read($0) }
            #expect(events.compactMap { $0["delta"]?["text"]?.text }.joined() == chat.choiceText)
            #expect(events.last?["type"]?.text == "message_stop")
            let wrong = try await client.ask("POST", "/v1/messages", "{\"model\":\"ebb\"}").json()
            #expect(wrong["error"]?["type"]?.text == "not_found_error")
        }
    }

    @Test func embeddingsAreStableAndOfLengthOne() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            let body = "{\"model\":\"tide\",\"input\":[\"ebb\",\"flow\"],\"dimensions\":6}"
            let first = try await client.ask("POST", "/v1/embeddings", body).json()
            let data = try #require(first["data"]?.array)
            #expect(data.count == 2)
            let vector = try #require(data[0]["embedding"]?.array).compactMap(\.number)
            #expect(vector.count == 6)
            #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
            #expect(try await client.ask("POST", "/v1/embeddings", body).json()["data"] == first["data"])
            let encoded = try await client.ask(
                "POST", "/v1/embeddings",
                "{\"model\":\"tide\",\"input\":\"ebb\",\"dimensions\":1,\"encoding_format\":\"base64\"}"
            ).json()
            #expect(encoded["data"]?.array?.first?["embedding"]?.text?.count == 8)
        }
    }
}
