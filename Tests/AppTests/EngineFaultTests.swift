import NIOCore
import Synchronization
import Testing

@testable import App

/// What goes wrong on demand.
@Suite(.timeLimit(.minutes(2))) struct EngineFaultTests {
    static let chat = EngineChatTests.chat
    static let stream = EngineChatTests.body("x", ",\"max_tokens\":20,\"ignore_eos\":true,\"stream\":true")
    static let whole = EngineChatTests.body("x", ",\"max_tokens\":20,\"ignore_eos\":true")

    /// Sets the faults and gives the port to the test.
    private func withFaults(
        _ faults: String, speed: Double = 200, _ body: (Int) async throws -> Void
    ) async throws {
        try await withEngine {
            $0.speed = speed
        } _: { port in
            var client = try await EngineClient.connect(port: port)
            #expect(try await client.ask("POST", "/admin/faults", faults).status == 200)
            try await body(port)
        }
    }

    @Test func refusedUntilCleared() async throws {
        try await withFaults("{\"refuse\":true}") { port in
            var client = try await EngineClient.connect(port: port)
            #expect(try await client.ask("POST", Self.chat, Self.whole).status == 503)
            #expect(try await client.ask("GET", "/health").status == 200)
            _ = try await client.ask("DELETE", "/admin/faults")
            #expect(try await client.ask("POST", Self.chat, Self.whole).status == 200)
        }
    }

    @Test(arguments: [stream, whole]) func resetBeforeTheFirstByte(body: String) async throws {
        try await withFaults("{\"reset_before_first_byte\":true}") { port in
            var client = try await EngineClient.connect(port: port)
            try await client.send("POST", Self.chat, body)
            await #expect(throws: (any Error).self) { _ = try await client.head() }
        }
    }

    @Test func resetInTheMiddleOfAStream() async throws {
        try await withFaults("{\"reset_after_tokens\":5}", speed: 1) { port in
            var client = try await EngineClient.connect(port: port)
            try await client.send("POST", Self.chat, Self.stream)
            #expect(try await client.head().status == 200)
            var events = 0
            await #expect(throws: (any Error).self) { while try await client.event() != nil { events += 1 } }
            #expect((1...6).contains(events), "a role and at most five tokens")
            let books = try await state(port: port) { $0["running"] == 0 }
            #expect(books["aborted"] == 1)
        }
    }

    @Test func aStalledStreamStaysOpenAndSilent() async throws {
        try await withFaults("{\"stall_after_tokens\":3}") { port in
            var client = try await EngineClient.connect(port: port)
            try await client.send("POST", Self.chat, Self.stream)
            _ = try await client.head()
            for _ in 0..<4 { #expect(try await client.event() != nil) }
            // The engine went on to the end; nothing more came, and the call is open until the client leaves.
            let books = try await state(port: port) { $0["running"] == 0 && $0["generated_tokens"] == 20 }
            #expect(books["active_calls"] == 1)
            try await client.close()
            _ = try await state(port: port) { $0["active_calls"] == 0 }
        }
    }

    @Test func anErrorAsFirstEventComesAfterA200() async throws {
        try await withFaults("{\"error_first\":true}") { port in
            var client = try await EngineClient.connect(port: port)
            try await client.send("POST", Self.chat, Self.stream)
            #expect(try await client.head().status == 200)
            let event = try #require(try await client.event())
            #expect(try JSONReader.read(event)["error"]?["code"]?.integer == 503)
            #expect(try await client.event() == "[DONE]")
            #expect(try await client.event() == nil)
            #expect(try await client.ask("POST", Self.chat, Self.whole).status == 200, "only streams are struck")
        }
    }

    @Test func anErrorEventAfterSomeTokens() async throws {
        try await withFaults("{\"error_after_tokens\":4}") { port in
            var client = try await EngineClient.connect(port: port)
            try await client.send("POST", Self.chat, Self.stream)
            let events = try await client.events()
            #expect(events.count == 7, "a role, four tokens, the error, the end")
            #expect(events[5].contains("\"error\""))
            #expect(try await client.ask("GET", "/health").status == 200, "the connection goes on")
        }
    }

    @Test func metricsLieOrAreMissing() async throws {
        try await withFaults("{\"metrics_running\":7,\"metrics_waiting\":8,\"metrics_kv_use\":0.5}") { port in
            var client = try await EngineClient.connect(port: port)
            let text = try await client.ask("GET", "/metrics").text
            #expect(text.contains("vllm:num_requests_running{engine=\"0\",model_name=\"tide\"} 7.0"))
            #expect(text.contains("vllm:num_requests_waiting{engine=\"0\",model_name=\"tide\"} 8.0"))
            #expect(text.contains("vllm:kv_cache_usage_perc{engine=\"0\",model_name=\"tide\"} 0.5"))
            _ = try await client.ask("POST", "/admin/faults", "{\"metrics_missing\":true,\"unhealthy\":true}")
            #expect(try await client.ask("GET", "/metrics").status == 404)
            #expect(try await client.ask("GET", "/health").status == 503)
        }
    }

    @Test func aPoisonedPromptCrashes() async throws {
        let crashes = Mutex(0)
        try await withEngine {
            $0.faults.crashOn = "POISON"
        } crash: {
            crashes.withLock { $0 += 1 }
        } _: { port in
            var client = try await EngineClient.connect(port: port)
            #expect(try await client.ask("POST", Self.chat, Self.whole).status == 200)
            try await client.send("POST", Self.chat, EngineChatTests.body("some POISON here"))
            _ = try await state(port: port) { _ in crashes.withLock { $0 == 1 } }
        }
    }

    @Test func oneInSomeIsStruckAndTheSeedDecidesWhich() async throws {
        func pattern(_ seed: Int) async throws -> [Int] {
            var statuses: [Int] = []
            try await withFaults("{\"refuse\":true,\"one_in\":4,\"seed\":\(seed)}") { port in
                var client = try await EngineClient.connect(port: port)
                for _ in 0..<40 { statuses.append(try await client.ask("POST", Self.chat, Self.whole).status) }
            }
            return statuses
        }
        let first = try await pattern(1)
        #expect((3...20).contains(first.count { $0 == 503 }))
        #expect(try await pattern(1) == first)
        #expect(try await pattern(2) != first)
    }

    @Test func refusedConnectionsComeBack() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            _ = try await client.ask("POST", "/admin/faults", "{\"refuse_connections_seconds\":0.2}")
            await #expect(throws: (any Error).self) { _ = try await EngineClient.connect(port: port) }
            #expect(try await client.ask("GET", "/health").status == 200, "open connections stay")
            var back: EngineClient?
            for _ in 0..<100_000 where back == nil {
                back = try? await EngineClient.connect(port: port)
                _ = try await client.ask("GET", "/health")
            }
            #expect(try await back?.ask("GET", "/health").status == 200)
        }
    }

    @Test func wrongFaultsAreExplained() async throws {
        try await withEngine { port in
            var client = try await EngineClient.connect(port: port)
            let unknown = try await client.ask("POST", "/admin/faults", "{\"explode\":true}")
            #expect(unknown.status == 400 && unknown.text.contains("unknown fault 'explode'"))
            let wrong = try await client.ask("POST", "/admin/faults", "{\"reset_after_tokens\":\"x\"}")
            #expect(wrong.status == 400 && wrong.text.contains("a whole number from 0, found a string"))
        }
    }

    @Test func flagsAndJSONSetTheSame() throws {
        var plan = FaultPlan()
        try plan.set(flag: "refuse")
        try plan.set(flag: "reset-after-tokens=5")
        try plan.set(flag: "metrics-kv-use=0.25")
        try plan.set(flag: "crash-on=BOOM=1")
        var expected = FaultPlan()
        expected.refuse = true
        expected.resetAfterTokens = 5
        expected.metricsKVUse = 0.25
        expected.crashOn = "BOOM=1"
        #expect(plan == expected)
        for key in FaultPlan.keys { try plan.set(key, to: .null) }
        #expect(plan == FaultPlan())
    }
}
