import Testing
import WireFormats

/// Streams in the shapes of the three APIs.
enum Streams {
    static let chat = """
        : ping

        data: {"id":"c1","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

        data: {"id":"c1","choices":[{"index":0,"delta":{"content":"He said \\"usage\\":{ 你"},"finish_reason":null}]}

        data:{"id":"c1","choices":[{"index":0,"delta":{"reasoning_content":"hm"}},{"index":1,"delta":{"content":"x"}}]}

        data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"length"}],"usage":null}

        data: {"id":"c1","choices":[],"usage": {"prompt_tokens":11,"completion_tokens":3,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":8}}}

        data: [DONE]


        """
    static let messages = """
        event: message_start
        data: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":5,"cache_read_input_tokens":20,"output_tokens":1}}}

        event: ping
        data: {"type":"ping"}

        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hello"}}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":12}}

        event: message_stop
        data: {"type":"message_stop"}


        """
    static let responses = """
        event: response.created
        data: {"type":"response.created","response":{"id":"r","status":"in_progress","error":null,"usage":null}}

        event: response.output_text.delta
        data: {"type":"response.output_text.delta","delta":"Hi"}

        event: response.completed
        data: {"type":"response.completed","response":{"status":"completed","error":null,"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":2}}}


        """
    static let lateError = """
        data: {"choices":[{"index":0,"delta":{"content":"x"}}]}

        data: {"error":{"message":"CUDA out of memory","type":"internal","code":500}}

        data: [DONE]


        """
    static let overload = """
        data: {"error": {"object": "error", "message": "The request queue is full.", "type": "x", "param": null, "code": 503}}

        data: [DONE]


        """
    static let all = [chat, messages, responses, lateError, overload]
}

/// Everything a stream's observer tells, to compare two ways of feeding it.
struct Told: Equatable {
    var content: Int, events: Int, oversized: Int, done: Bool, error: Bool
    var usage: TokenUsage?, reason: String?, first: FirstEventVerdict

    init(_ observer: StreamObserver) {
        content = observer.contentEvents
        events = observer.events
        oversized = observer.oversizedEvents
        done = observer.isDone
        error = observer.errorEvent
        usage = observer.usage
        reason = observer.finishReason
        first = observer.firstEvent
    }
}

func told(_ pieces: [[UInt8]], limit: Int = StreamObserver.defaultMaximumEventBytes) -> Told {
    var observer = StreamObserver(maximumEventBytes: limit)
    for piece in pieces { piece.withUnsafeBytes { observer.observe($0) } }
    observer.finish()
    return Told(observer)
}

@Suite struct StreamObserverTests {
    @Test func readsAChatStream() {
        let told = told([Array(Streams.chat.utf8)])
        #expect(told.events == 6)
        #expect(told.content == 3)
        #expect(told.done && !told.error)
        #expect(told.usage == TokenUsage(promptTokens: 11, completionTokens: 3, cachedTokens: 8))
        #expect(told.reason == "length")
        #expect(told.first == .ordinary)
    }

    @Test func readsAMessagesStream() {
        let told = told([Array(Streams.messages.utf8)])
        #expect(told.content == 1)
        #expect(told.done && !told.error)
        #expect(told.usage == TokenUsage(promptTokens: 25, completionTokens: 12, cachedTokens: 20))
        #expect(told.reason == "end_turn")
    }

    @Test func readsAResponsesStream() {
        let told = told([Array(Streams.responses.utf8)])
        #expect(told.content == 1)
        #expect(told.done && !told.error)
        #expect(told.usage == TokenUsage(promptTokens: 9, completionTokens: 2, cachedTokens: 4))
        #expect(told.reason == "completed")
    }

    @Test func recognisesErrors() {
        let late = told([Array(Streams.lateError.utf8)])
        #expect(late.error && late.done && late.first == .ordinary)
        #expect(told([Array(Streams.overload.utf8)]).first == .error(overload: true))
        let firsts: [(String, FirstEventVerdict)] = [
            (#"data: {"error":{"message":"bad","code":400}}"#, .error(overload: false)),
            (
                #"data: {"error":{"message":"Request was aborted by a higher priority request"}}"#,
                .error(overload: true)
            ),
            (#"data: {"object":"error","message":"x","code":503}"#, .error(overload: true)),
            (
                "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}",
                .error(overload: true)
            ),
            // Words that the request brought in.
            (#"data: {"error":{"code":400,"message":"bad value 'overloaded'"}}"#, .error(overload: false)),
            (#"data: {"error":{"message":"the queue is full","status_code":"400"}}"#, .error(overload: false)),
            (#"data: {"error":{"code":500,"status_code":529,"message":"x"}}"#, .error(overload: true)),
            (#"data: {"error":{"code":429,"message":"The request queue is full."}}"#, .error(overload: true)),
            (#"data: {"error":{"code":null,"message":"overloaded"}}"#, .error(overload: true)),
            (#"data: {"error":{"code":"busy","message":"overloaded"}}"#, .error(overload: true)),
            ("event: error\ndata: not json", .error(overload: false)),
            (
                #"data: {"type":"response.failed","response":{"error":{"code":"server_error"}}}"#,
                .error(overload: false)
            ),
            (#"data: {"error":null,"choices":[]}"#, .ordinary),
            (#"data: {"choices":[{"delta":{"content":"\"error\":{"}}]}"#, .ordinary),
            ("data: [DONE]", .ordinary),
            ("data: hello", .ordinary),
        ]
        for (text, verdict) in firsts { #expect(told([Array((text + "\n\n").utf8)]).first == verdict, "\(text)") }
    }

    @Test func isUndecidedUntilTheFirstEventIsWhole() {
        var observer = StreamObserver()
        withBytes(": comment\n\nevent: message_start\ndata: {\"type\":\"message_start\"}") { observer.observe($0) }
        #expect(observer.firstEvent == .undecided)
        withBytes("\n\n") { observer.observe($0) }
        #expect(observer.firstEvent == .ordinary)
    }

    @Test func everyCutGivesTheSame() {
        for text in Streams.all {
            for ending in ["\n", "\r\n", "\r"] {
                let bytes = Array(text.replacing("\n", with: ending).utf8)
                let whole = told([bytes])
                #expect(whole.events > 1)
                for cut in 0...bytes.count {
                    let halves = [Array(bytes[..<cut]), Array(bytes[cut...])]
                    #expect(told(halves) == whole, "cut at \(cut) with line end \(ending.debugDescription)")
                }
                #expect(told(bytes.map { [$0] }) == whole)
            }
        }
    }

    @Test func boundsAnEventAndGoesOn() {
        let big = "data: " + String(repeating: "x", count: 5_000) + "\n\n"
        let bytes = Array((big + Streams.chat).utf8)
        for size in [1, 7, 100] {
            let pieces = stride(from: 0, to: bytes.count, by: size).map {
                Array(bytes[$0..<min(bytes.count, $0 + size)])
            }
            let told = told(pieces, limit: 1_000)
            #expect(told.oversized == 1)
            #expect(told.content == 3)
            #expect(told.done)
        }
    }

    @Test func anEndWithoutABlankLineStillCounts() {
        #expect(told([Array("data: [DONE]\n".utf8)]).done)
        #expect(told([Array("data: [DONE]".utf8)]).done)
    }

    @Test func joinsDataLines() {
        let told = told([Array("data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"x\"}}]}\n\n".utf8)])
        #expect(told.content == 1)
        #expect(told.events == 1)
    }
}
