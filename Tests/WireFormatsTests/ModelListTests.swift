import Testing
import WireFormats

@Suite struct ModelListTests {
    func parse(_ text: String, _ limits: ModelList.Limits = .init()) throws -> ModelList {
        try withBytes(text) { try ModelList.parse($0, limits: limits) }
    }

    @Test func readsVLLM() throws {
        let list = try parse(
            #"{"object":"list","data":[{"id":"base","root":"org/base","parent":null,"max_model_len":8192,"permission":[{"id":"p"}]},{"id":"lora","parent":"base"}]}"#
        )
        #expect(list.records.map(\.id) == ["base", "lora"])
        #expect(list.records.first?.root == "org/base" && list.records.first?.maximumModelLength == 8_192)
        #expect(list.records.last?.parent == "base" && list.records.last?.raw == #"{"id":"lora","parent":"base"}"#)
    }

    @Test func readsLlama() throws {
        let list = try parse(#"{"models":[{"name":"x"}],"data":[{"id":"x.gguf","meta":{"n_ctx_train":4096}}]}"#)
        #expect(list.records.map(\.maximumModelLength) == [4_096])
    }

    @Test func passesOverWhatIsNoModel() throws {
        let list = try parse(#"{"data":[7,{},{"id":5},{"id":""},{"id":"a\nb"},{"id":"ok"}]}"#)
        #expect(list.records.map(\.id) == ["ok"] && list.skipped == 5)
    }

    @Test func hasLimits() {
        func code(_ text: String, _ limits: ModelList.Limits = .init()) -> ScanFailure.Code? {
            do {
                _ = try parse(text, limits)
                return nil
            } catch { return (error as? ScanFailure)?.code }
        }
        #expect(code("<html>") == .invalidJSON)
        #expect(code("{}") == .missingMember)
        #expect(code(#"{"data":{}}"#) == .missingMember)
        #expect(code(#"{"data":[{"id":"a"},{"id":"b"}]}"#, .init(maximumRecords: 1)) == .tooLarge)
        #expect(code(#"{"data":[]}"#, .init(maximumBytes: 5)) == .tooLarge)
    }

    @Test func nothingMakesItCrash() {
        var random = Noise(10)
        for _ in 0..<1_500 {
            let bytes = mutated(Array(#"{"data":[{"id":"a","meta":{"n_ctx_train":1}},{"id":"b"}]}"#.utf8), &random)
            _ = bytes.withUnsafeBytes { try? ModelList.parse($0) }
        }
    }

    @Test func errorBodiesHaveBothShapes() {
        let error = ErrorBody(message: "no \"x\"", type: "invalid_request_error", param: "model", code: nil)
        #expect(
            String(decoding: error.openAI(), as: UTF8.self)
                == #"{"error":{"message":"no \"x\"","type":"invalid_request_error","param":"model","code":null}}"#)
        #expect(
            String(decoding: error.bytes(for: .messages, status: 429, requestID: "r"), as: UTF8.self)
                == #"{"type":"error","error":{"type":"rate_limit_error","message":"no \"x\""},"request_id":"r"}"#)
        #expect(error.bytes(for: .chat, status: 429, requestID: "r") == error.openAI())
    }
}
