import Testing
import WireFormats

@Suite struct AnswerScanTests {
    static let chat =
        #"{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"say \"usage\":{\"prompt_tokens\":999}"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":8}},"kv_transfer_params":null}"#
    static let messages =
        #"{"type":"message","content":[{"type":"text","text":"hi"}],"stop_reason":"max_tokens","usage":{"input_tokens":3,"cache_creation_input_tokens":4,"cache_read_input_tokens":5,"output_tokens":6}}"#
    static let responses =
        #"{"object":"response","status":"completed","error":null,"output":[],"usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":2},"output_tokens":1}}"#
    static let llama =
        #"{"id":"some","choices":[{"text":"x","finish_reason":"length"}],"timings":{"cache_n":6,"prompt_n":4,"predicted_n":3,"prompt_ms":1.5}}"#

    @Test(arguments: [(chat, 10, 4, 8), (messages, 12, 6, 5), (responses, 7, 1, 2), (llama, 10, 3, 6)])
    func readsTheWholeAndTheTail(_ text: String, _ prompt: Int, _ completion: Int, _ cached: Int) {
        let usage = TokenUsage(promptTokens: prompt, completionTokens: completion, cachedTokens: cached)
        #expect(withBytes(text) { AnswerScan(whole: $0) }.usage == usage)
        #expect(withBytes(String(text.dropFirst(20))) { AnswerScan(tail: $0) }.usage == usage)
    }

    @Test func anAnswerThatIsCutOffGivesWhatCameBefore() {
        let cut = #"{"usage":{"prompt_tokens":3,"completion_tokens":2},"choices":[{"text":"half"#
        #expect(withBytes(cut) { AnswerScan(whole: $0) }.usage == TokenUsage(promptTokens: 3, completionTokens: 2))
    }

    @Test func liesAreNotBelieved() {
        let lies =
            #"{"usage":{"prompt_tokens":-1,"completion_tokens":1e30,"prompt_tokens_details":{"cached_tokens":"5"}}}"#
        #expect(withBytes(lies) { AnswerScan(whole: $0) }.usage == nil)
    }

    @Test func theTailIsKeptOfALongAnswer() {
        let bytes = Array(
            ("{\"data\":\"" + String(repeating: "x", count: 300_000) + "\"," + Self.chat.dropFirst()).utf8)
        for size in [1_000, 7_777, 100_000, 400_000] {
            var tail = AnswerTail(wholeLimit: 20_000, tailLimit: 1_000)
            for start in stride(from: 0, to: bytes.count, by: size) {
                Array(bytes[start..<min(bytes.count, start + size)]).withUnsafeBytes { tail.observe($0) }
            }
            #expect(tail.scan().usage?.promptTokens == 10)
        }
    }

    @Test func nothingMakesItCrash() {
        var random = Noise(6)
        for _ in 0..<4_000 {
            let text = [Self.chat, Self.messages, Self.responses, Self.llama].randomElement(using: &random) ?? ""
            let bytes = mutated(Array(text.utf8), &random)
            bytes.withUnsafeBytes {
                _ = AnswerScan(whole: $0)
                _ = AnswerScan(tail: $0)
            }
        }
    }

    @Test func streamsSurviveMutations() {
        var random = Noise(7)
        for _ in 0..<1_500 {
            let bytes = mutated(Array((Streams.all.randomElement(using: &random) ?? "").utf8), &random)
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let limit = Int.random(in: 1...400, using: &random)
            // However it is cut, a stream within the limits tells the same; a small limit only must not crash.
            #expect(told([Array(bytes[..<cut]), Array(bytes[cut...])]) == told([bytes]))
            _ = told(bytes.map { [$0] }, limit: limit)
        }
    }
}
