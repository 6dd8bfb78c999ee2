import Testing
import WireFormats

@Suite struct RequestScanTests {
    @Test func readsTheMembersThatMatter() throws {
        let body = """
             {"model": "llama", "messages":[{"role":"user","content":"a \\"quoted\\" {[ word"}], "stream" : true,
             "stream_options":{"include_usage": true}, "max_tokens": 100, "max_completion_tokens": 50, "n": 2,
             "priority": -3, "store": true, "service_tier": "flex", "tools": [{"type":"function"}], "unknown": 1e400}
            """
        let scan = try scan(body)
        #expect(scan.model == "llama")
        #expect(slice(body, scan.modelValue) == "\"llama\"")
        #expect(scan.stream && scan.includeUsage && scan.store && !scan.background)
        #expect(scan.maximumOutputTokens == 50)
        #expect(scan.sequences == 2)
        #expect(scan.priority.map { slice(body, $0) } == "-3")
        #expect(scan.serviceTier == "flex")
        #expect(scan.promptText.map { slice(body, $0).prefix(9) } == ["[{\"type\":", "[{\"role\":"])
    }

    @Test func promptComesInCanonicalOrder() throws {
        let body = #"{"messages":[1],"system":"s","model":"m","tools":[]}"#
        #expect(try scan(body, .messages).promptText.map { slice(body, $0) } == ["[]", "\"s\"", "[1]"])
        let responses = #"{"input":"hello","model":"m","instructions":"be brief","background":true}"#
        let scan = try scan(responses, .responses)
        #expect(scan.promptText.map { slice(responses, $0) } == ["\"be brief\"", "\"hello\""])
        #expect(scan.background)
    }

    @Test(arguments: [
        (#"{"model":"m","prompt":"0123456789"}"#, 1, 3),
        (#"{"model":"m","prompt":["a","b","c"]}"#, 3, 3),
        (#"{"model":"m","prompt":["a","b","c"],"n":2}"#, 6, 3),
        (#"{"model":"m","prompt":[1, 2, 3, 4]}"#, 1, 4),
        (#"{"model":"m","prompt":[[1,2],[3,4,5]]}"#, 2, 5),
        (#"{"model":"m","prompt":[]}"#, 1, 1),
        (#"{"model":"m","prompt":"","n":0}"#, 1, 1),
        (#"{"model":"m","prompt":"","n":99999999999999999999}"#, 1_000_000, 1),
        (#"{"model":"m"}"#, 1, 1),
    ])
    func countsPromptsAndTokens(_ body: String, _ sequences: Int, _ tokens: Int) throws {
        let scan = try scan(body, .completions)
        #expect(scan.sequences == sequences)
        #expect(scan.promptTokenEstimate == tokens)
    }

    @Test(arguments: [
        ("", ScanFailure.Code.notAnObject, 0),
        ("[]", .notAnObject, 0),
        ("\u{FEFF}{\"model\":\"m\"}", .byteOrderMark, 0),
        ("{\"model\":\"m\0\"}", .nulByte, 11),
        (#"{"model":"m"} x"#, .trailingBytes, 14),
        (#"{"model":"m"}{}"#, .trailingBytes, 13),
        (#"{"model":"m""#, .invalidJSON, 12),
        (#"{"model":"m"#, .invalidJSON, 9),
        (#"{"model":"m\"}"#, .invalidJSON, 9),
        (#"{"model":"m",}"#, .invalidJSON, 13),
        (#"{"model":"m" "a":1}"#, .invalidJSON, 13),
        (#"{"model":"m","a":[1}"#, .invalidJSON, 19),
        (#"{"model":"m","a":[{]}"#, .invalidJSON, 19),
        (#"{"model":"m","a":}"#, .invalidJSON, 17),
        (#"{"model" "m"}"#, .invalidJSON, 9),
        (#"{model:"m"}"#, .invalidJSON, 1),
        (#"{"messages":[]}"#, .missingModel, 15),
        (#"{"model":7}"#, .invalidModel, 9),
        (#"{"model":null}"#, .invalidModel, 9),
        (#"{"model":""}"#, .invalidModel, 9),
        (#"{"model":"a\nb"}"#, .invalidModel, 9),
        (#"{"model":"\ud800"}"#, .invalidUTF8, 10),
        (#"{"model":"\x"}"#, .invalidJSON, 10),
        (#"{"model":"a","model":"a"}"#, .duplicateMember, 13),
        (#"{"model":"a","mo\u0064el":"b"}"#, .duplicateMember, 13),
        (#"{"\u006dodel":"a","model":"b"}"#, .duplicateMember, 18),
        (#"{"model":"a","stream":true,"\u0073tream":false}"#, .duplicateMember, 27),
        (#"{"model":"a","priority":1,"priorit\u0079":2}"#, .duplicateMember, 26),
        (#"{"model":"a","stream":"true"}"#, .invalidStream, 22),
        (#"{"model":"a","stream":1}"#, .invalidStream, 22),
        (#"{"model":"a","\u00zz":1}"#, .invalidJSON, 14),
    ])
    func refuses(_ body: String, _ code: ScanFailure.Code, _ offset: Int) throws {
        let failure = try #require(scanFailure(body))
        #expect(failure.code == code)
        #expect(failure.byteOffset == offset)
        #expect(failure.message.contains("byte \(offset)"))
    }

    @Test func decodesEscapedNamesAndValues() throws {
        let scan = try scan(#"{"\u006dodel":"\u6a21\ud83d\ude00\/x","\ud800":1,"stre\u0061m":true}"#)
        #expect(scan.model == "模😀/x")
        #expect(scan.stream)
    }

    @Test func limitsDepthAndModelLength() {
        let deep = { (levels: Int) in
            #"{"model":"m","a":"# + String(repeating: "[", count: levels) + String(repeating: "]", count: levels) + "}"
        }
        #expect(scanFailure(deep(127)) == nil)
        #expect(scanFailure(deep(128))?.code == .tooDeep)
        #expect(scanFailure(deep(100_000))?.code == .tooDeep)
        #expect(scanFailure(deep(4), .chat, ScanLimits(maximumDepth: 4))?.code == .tooDeep)
        let named = { #"{"model":""# + String(repeating: "x", count: $0) + #""}"# }
        #expect(scanFailure(named(256)) == nil)
        #expect(scanFailure(named(257))?.code == .modelTooLong)
        #expect(scanFailure(named(100_000))?.code == .modelTooLong)
    }

    @Test func limitsMembersAndIgnoresHugeNames() {
        let many = { #"{"model":"m""# + String(repeating: #","x":1"#, count: $0) + "}" }
        #expect(scanFailure(many(999)) == nil)
        #expect(scanFailure(many(1_000))?.code == .tooLarge)
        let name = String(repeating: #"\u006d"#, count: 10_000)
        #expect(scanFailure(#"{"model":"m",""# + name + #"":1}"#) == nil)
    }

    @Test func uploadsAreNotCountedAsText() throws {
        let upload = String(repeating: "A", count: 400_000)
        let body =
            #"{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"what is it?"},"#
            + #"{"type":"image_url","image_url":{"url":"data:image/png;base64,\#(upload)"}}]}]}"#
        #expect((1_000..<1_100).contains(try scan(body).promptTokenEstimate))
    }

    @Test func splicesThePriority() throws {
        let body = #" { "model":"m", "priority" : {"a":1} , "x":12345678901234567890}"#
        let replaced = try withBytes(body) {
            try RequestScan.scan($0, kind: .chat).overwritingPriority(-7).apply(to: $0)
        }
        #expect(
            String(decoding: replaced, as: UTF8.self) == #" { "model":"m", "priority" : -7 , "x":12345678901234567890}"#
        )
        let inserted = try withBytes(#" { "model":"m"}"#) {
            let splice = try RequestScan.scan($0, kind: .chat).overwritingPriority(5)
            let bytes = splice.apply(to: $0)
            #expect(bytes.count == splice.count)
            return bytes
        }
        #expect(String(decoding: inserted, as: UTF8.self) == #" {"priority":5, "model":"m"}"#)
    }

    @Test(arguments: [
        ("/v1/chat/completions", RequestKind.chat), ("/v1/completions?x=1", .completions),
        ("/prefix/v1/embeddings", .embeddings), ("/v1/responses", .responses), ("/v1/messages", .messages),
        ("/v1/messages/count_tokens", .other), ("", .other),
    ])
    func kindFollowsFromThePath(_ path: String, _ kind: RequestKind) {
        #expect(RequestKind(path: path) == kind)
    }
}
