import FleetTracking
import FlowControl
import Glibc
import NIOCore
import SchedulerRuntime
import Scheduling
import Testing

@testable import DataPlane

/// Ends, deadlines and reuse of engine connections, step by step.
@Suite struct EngineConnectionTests {
    static let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"

    private func changed(_ change: (inout RelaySettings) -> Void) -> RelaySettings {
        var settings = RelaySettings()
        change(&settings)
        return settings
    }

    // MARK: Ends

    @Test func anAnswerThatEndsWithItsConnectionIsWholeOnlyAfterAnOrderlyClose() throws {
        for isReset in [false, true] {
            let bench = EngineBench()
            let (engine, owner) = (try bench.connect(), ScriptedOwner())
            bench.ask(owner)
            engine.send(Self.head + "{\"a\":1")
            if isReset { engine.reset() } else { engine.close() }
            #expect(owner.calls.last == (isReset ? .broken(.engineTruncated) : .ended))
            #expect(bench.ends == [isReset ? Outcome.engineTruncated : .completed])
        }
    }

    /// It closed without reading all of the request: a reset follows, which may have taken the end of the answer.
    @Test func anEngineThatClosesBeforeItTookTheRequestHasNotSaidAll() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        engine.takesRequests = false
        bench.ask(owner, body: String(repeating: "x", count: 100_000))
        engine.send(Self.head + "{\"error\":1}")
        engine.close()
        #expect(owner.calls.last == .broken(.engineTruncated))
    }

    @Test func aConnectionWhoseRequestIsStillBeingSentIsNotKept() throws {
        for isSent in [false, true] {
            let bench = EngineBench()
            let (engine, owner) = (try bench.connect(), ScriptedOwner())
            engine.takesRequests = false
            bench.ask(owner, body: String(repeating: "x", count: 100_000))
            if isSent { engine.takesRequests = true }
            engine.send(jsonAnswer("{}", status: "413 Too Large"))
            #expect(owner.calls == [.began(413), .bytes("{}"), .ended])
            #expect(engine.isOpen == isSent)
        }
    }

    @Test func bytesBehindAnAnswerWithoutBodyEndTheConnection() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        engine.send("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello")
        #expect(owner.calls == [.began(204), .ended] && !engine.isOpen)
    }

    @Test func aClientThatIsGoneAtTheLastFlushIsNotFinishedToo() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        owner.onFlush = { $0.clientGone() }
        bench.ask(owner)
        engine.send(jsonAnswer("{}"))
        #expect(bench.ends == [nil] && bench.records.map(\.outcome) == [.clientGone])
        // The answer was whole: its connection is another's to use.
        #expect(engine.isOpen && owner.calls == [.began(200), .bytes("{}")])
    }

    /// The last flush fills the client's buffer: the engine's connection is no longer this answer's to pause.
    @Test func aKeptConnectionIsNotPausedByTheAnswerBeforeIt() throws {
        let bench = EngineBench()
        let (engine, owner, next) = (try bench.connect(), ScriptedOwner(), ScriptedOwner())
        owner.onFlush = { $0.pause() }
        bench.ask(owner)
        engine.send(jsonAnswer("{}"))
        bench.ask(next)
        #expect(engine.send(jsonAnswer("{}")))
        #expect(next.calls.last == .ended)
    }

    @Test func anInterimAnswerShowsThatTheEngineHadTheRequest() throws {
        let bench = EngineBench(script: refusing)
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        engine.send("HTTP/1.1 100 Continue\r\n\r\n")
        engine.close()
        // Not taken for a connection that had died before.
        #expect(bench.failures == [.reset(bytesSent: true)])
    }

    /// After the first byte of the answer proper no other engine is asked.
    @Test(arguments: ["H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"], [false, true])
    func aHeadThatIsCutIsNotAskedForElsewhere(_ part: String, isReset: Bool) throws {
        for interim in ["", "HTTP/1.1 100 Continue\r\n\r\n"] {
            let bench = EngineBench()
            let (engine, owner) = (try bench.connect(), ScriptedOwner())
            let other = try bench.connect(1)
            bench.ask(owner)
            engine.send(interim + part)
            if isReset { engine.reset() } else { engine.close() }
            #expect(bench.failures == [.truncated] && owner.calls == [.refused(.engineTruncated)])
            #expect(try other.received().isEmpty)
        }
    }

    @Test func aKeptConnectionThatDiesLateIsTheEnginesFailure() throws {
        let bench = EngineBench(script: refusing)
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        bench.advance(by: .seconds(2))
        engine.close()
        #expect(bench.failures == [.reset(bytesSent: true)] && owner.calls == [.refused(.engineReset)])
    }

    /// Forwards once and refuses after a failure.
    private let refusing: SchedulerHost.Script = { event, _, effects in
        switch event {
        case .arrived(let arrival): effects.append(.forward(arrival.work, EndpointID(0), attempt: 1))
        case .failed(let work, let failure): effects.append(.refuse(work, failure.outcome, retryAfter: nil))
        default: break
        }
    }

    // MARK: Decisions that cross an end

    @Test func aForwardThatComesAfterItsClientWentSendsNothing() throws {
        // The scheduler takes its time over a failure; meanwhile the client goes away.
        let bench = EngineBench { event, _, effects in
            if case .arrived(let arrival) = event {
                effects.append(.forward(arrival.work, EndpointID(0), attempt: 1))
            }
        }
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        let other = try bench.connect(1)
        let exchange = bench.ask(owner)
        engine.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
        #expect(bench.failures == [.full(retryAfter: nil)])
        exchange.clientGone()
        bench.relay.receive([.forward(exchange.work, EndpointID(1), attempt: 2)])
        exchange.forward(to: EndpointID(1), attempt: 2)
        #expect(try other.received() == "" && owner.calls.isEmpty)
        #expect(bench.ends == [nil] && bench.records.map(\.outcome) == [.clientGone])
        #expect(bench.relay.runningWorks == 0)
    }

    @Test func nothingComesAfterTheEnd() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        let exchange = bench.ask(owner)
        engine.send(jsonAnswer("{}"))
        let calls = owner.calls
        bench.relay.receive([
            .refuse(exchange.work, .queueTimeout, retryAfter: nil),
            .forward(exchange.work, EndpointID(0), attempt: 2),
        ])
        exchange.withdraw()
        exchange.clientGone()
        exchange.pause()
        exchange.resume()
        #expect(owner.calls == calls && bench.ends == [.completed] && bench.records.count == 1)
        // The kept connection is not the ended exchange's to close.
        #expect(engine.isOpen)
    }

    @Test(arguments: [EngineKind.vllm, .sglang])
    func withdrawnWorkClosesItsConnection(_ kind: EngineKind) throws {
        for stage in 0..<3 {
            let bench = EngineBench(kind)
            let (engine, owner) = (try bench.connect(), ScriptedOwner())
            let exchange = bench.ask(owner)
            if stage > 0 { engine.send(streamHead) }
            if stage > 1 { engine.send(chunk(event("a"))) }
            let wasTold = owner.calls.contains(.began(200))
            exchange.withdraw()
            #expect(!engine.isOpen && bench.ends == [nil])
            #expect(owner.calls.last == (wasTold ? .broken(.withdrawn) : .refused(.withdrawn)), "stage \(stage)")
        }
    }

    @Test func aPausedAnswerIsNotReadAndGoesOnWhereItStood() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        let exchange = bench.ask(owner)
        engine.send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nab")
        exchange.pause()
        #expect(!engine.send("cd"))
        exchange.resume()
        #expect(engine.send("cd"))
        #expect(engine.send("ef"))
        #expect(owner.text == "abcdef" && owner.calls.last == .ended)
    }

    // MARK: Answers that nobody wants

    @Test func theRestOfAFullEnginesAnswerIsReadWithinBounds() throws {
        let length = 1000
        let cases: [(head: String, body: Int, isKept: Bool)] = [
            ("Content-Length: \(length)\r\n\r\n", length, true), ("Content-Length: 0\r\n\r\n", 0, true),
            ("Content-Length: 70000\r\n\r\n", 0, false), ("\r\n", 10, false),
            ("Transfer-Encoding: chunked\r\n\r\n", 70_000, false),
        ]
        for (head, body, isKept) in cases {
            let bench = EngineBench()
            let (engine, owner) = (try bench.connect(), ScriptedOwner())
            let other = try bench.connect(1)
            bench.ask(owner)
            engine.send("HTTP/1.1 503 Busy\r\n" + head)
            other.send(jsonAnswer("{}"))
            if body > 0 {
                let text = String(repeating: "x", count: body)
                engine.send(head.contains("chunked") ? chunk(text) : text)
            }
            #expect(owner.calls == [.began(200), .bytes("{}"), .ended])
            #expect(engine.isOpen == isKept, "\(head)")
        }
    }

    @Test func anEngineThatDripsItsRefusalIsCut() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        let other = try bench.connect(1)
        bench.ask(owner)
        engine.send("HTTP/1.1 503 Busy\r\nContent-Length: 1000\r\n\r\n")
        other.send(jsonAnswer("{}"))
        for _ in 0..<5 {
            bench.advance(by: .seconds(1))
            engine.send("x")
        }
        #expect(!engine.isOpen)
    }

    /// The client's buffer was full when the engine refused: nobody else would make this connection read again.
    @Test func aPausedConnectionIsReadToItsEndWhenItsAnswerIsAbandoned() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        let other = try bench.connect(1)
        let exchange = bench.ask(owner)
        // A read was asked for before the pause.
        engine.askForRead()
        exchange.pause()
        #expect(engine.send("HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n"))
        #expect(engine.send("{}"))
        other.send(jsonAnswer("{}"))
        #expect(engine.isOpen && owner.calls.last == .ended)
        let next = ScriptedOwner()
        bench.ask(next)
        #expect(engine.send(jsonAnswer("{}")) && next.calls.last == .ended)
    }

    // MARK: Deadlines

    /// The first request times out and goes to a connection whose idle time is over in the same sweep.
    @Test func aConnectionThatIsTakenInTheSweepInWhichItWasDueServesOn() throws {
        let settings = changed {
            $0.firstByteTimeout = .seconds(4)
            $0.idleEngineTime = .seconds(4)
        }
        let bench = EngineBench(settings: settings) { event, _, effects in
            switch event {
            case .arrived(let arrival): effects.append(.forward(arrival.work, EndpointID(0), attempt: 1))
            case .failed(let work, .firstByteTimeout): effects.append(.forward(work, EndpointID(1), attempt: 2))
            case .failed(let work, let failure): effects.append(.refuse(work, failure.outcome, retryAfter: nil))
            default: break
            }
        }
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        let other = try bench.connect(1)
        bench.advance(by: .seconds(5))
        #expect(bench.failures == [.firstByteTimeout] && !engine.isOpen)
        #expect(other.isOpen && owner.heads == 2)
        other.send(jsonAnswer("{}"))
        #expect(owner.calls == [.began(200), .bytes("{}"), .ended])
    }

    /// Engines answer 200 when they admit a stream; what follows is their queue and the prefill.
    @Test func aStreamMayBeSilentBeforeItsFirstOutputForAsLongAsAnAnswerMayTake() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        engine.send(streamHead + chunk(EngineAnswerTests.role))
        bench.advance(by: .seconds(400))
        #expect(engine.isOpen)
        engine.send(chunk(event("a")))
        bench.advance(by: .seconds(121))
        #expect(!engine.isOpen && owner.calls.last == .broken(.idleTimeout))
    }

    /// Streams of other paths, and of engines newer than we are, have events of which no output is known.
    @Test func aStreamOfUnknownEventsIsTakenToHaveBegunOnceItGoesOn() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        let unknown = chunk("data: {\"type\":\"page.scored\"}\n\n")
        engine.send(streamHead)
        for _ in 0..<8 { engine.send(unknown) }
        #expect(bench.starts == 0)
        engine.send(unknown)
        #expect(bench.starts == 1)
        bench.advance(by: .seconds(121))
        #expect(!engine.isOpen && owner.calls.last == .broken(.idleTimeout))
    }

    /// Keep-alives during a long prefill, or the roles of many choices.
    @Test(arguments: [
        #"{"type":"ping"}"#, #"{"type":"message_start","message":{"id":"m","usage":{"input_tokens":5}}}"#,
        #"{"type":"response.created","response":{"status":"in_progress"}}"#,
        #"{"type":"response.in_progress","response":{"status":"in_progress"}}"#,
        #"{"choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":null},"finish_reason":null}]}"#,
        #"{"choices":[{"index":0,"delta":{"role":"assistant"}},{"index":1,"delta":{"role":"assistant"}}]}"#,
    ])
    func aStreamOfSilentEventsHasNotBegun(_ data: String) throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        engine.send(streamHead)
        for _ in 0..<40 { engine.send(chunk("data: \(data)\n\n")) }
        #expect(bench.starts == 0)
        engine.send(chunk(event("a")))
        #expect(bench.starts == 1)
    }

    /// What is not known to say nothing may say something.
    @Test(arguments: [
        #"{"choices":[{"index":0,"delta":{"role":"assistant","audio":{"id":"a"}}}]}"#,
        #"{"choices":[{"index":0,"delta":{"content":""}}]}"#, #"{"choices":[]}"#, #"{"type":"response.novel"}"#,
        #"{"choices":[{"index":0,"delta":{"role":"assistant"},"finish_reason":"stop"}]}"#,
    ])
    func aStreamOfOtherEventsHasBegunAfterSome(_ data: String) throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        engine.send(streamHead)
        for _ in 0..<40 { engine.send(chunk("data: {\"type\":\"ping\"}\n\n")) }
        for _ in 0..<8 { engine.send(chunk("data: \(data)\n\n")) }
        #expect(bench.starts == 0)
        engine.send(chunk("data: \(data)\n\n"))
        #expect(bench.starts == 1)
    }

    @Test func filesThatAreNoTrustAreNotReadForEveryRequest() throws {
        let bench = EngineBench()
        let certificate = try SelfSigned()
        defer { certificate.remove() }
        let authority = certificate.certificateFile + ".late"
        defer { unlink(authority) }
        bench.directory.update { $0.endpoints[0]?.tls = EngineTLS(authorityFile: authority) }
        #expect(bench.relay.lane(EndpointID(0)) == nil)
        #expect(link(certificate.certificateFile, authority) == 0)
        #expect(bench.relay.lane(EndpointID(0)) == nil)
        bench.advance(by: .seconds(5))
        #expect(bench.relay.lane(EndpointID(0)) != nil)
    }

    @Test func aStreamThatNeverShowsOutputIsCutAtTheFirstBytesLimit() throws {
        for kind in [EngineKind.vllm, .unknown] {
            let bench = EngineBench(kind, script: refusing)
            let (engine, owner) = (try bench.connect(), ScriptedOwner())
            bench.ask(owner)
            engine.send(streamHead)
            bench.advance(by: .seconds(601))
            #expect(!engine.isOpen)
            // Held back, its head was told to nobody.
            let end: ScriptedOwner.Call =
                kind == .vllm ? .broken(.firstByteTimeout) : .refused(.firstByteTimeout)
            #expect(owner.calls.last == end, "\(kind)")
        }
    }

    @Test func aPauseOfOursIsNoSilenceOfTheEngine() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        let exchange = bench.ask(owner)
        engine.send(streamHead + chunk(event("a")))
        bench.advance(by: .seconds(119))
        exchange.pause()
        bench.advance(by: .seconds(300))
        exchange.resume()
        bench.advance(by: .seconds(100))
        #expect(engine.isOpen)
        engine.send(chunk(event("b")) + "0\r\n\r\n")
        #expect(owner.calls.last == .ended)
    }

    // MARK: Limits of an owner

    @Test func anOwnerThatTakesNoMoreEndsTheAnswerAndTheConnection() throws {
        for atHead in [true, false] {
            let bench = EngineBench()
            let (engine, owner) = (try bench.connect(), ScriptedOwner(wantsPayload: true))
            bench.ask(owner)
            if atHead { owner.refusal = .answerTooLarge }
            engine.send(Self.head)
            owner.refusal = .answerTooLarge
            engine.send("{\"a\":1}")
            #expect(owner.calls.last == .broken(.answerTooLarge) && !engine.isOpen)
            #expect(bench.ends == [.answerTooLarge] && bench.records.map(\.outcome) == [.answerTooLarge])
        }
    }

    // MARK: Lanes

    private func change(_ bench: EngineBench, _ change: (inout EndpointEntry) -> Void) {
        bench.directory.update { (directory: inout Directory) -> Void in
            guard var entry = directory.endpoints[0] else { return }
            change(&entry)
            directory.endpoints[0] = entry
        }
    }

    @Test func aChangedCredentialIsUsedByTheNextRequest() throws {
        let bench = EngineBench()
        let (old, running) = (try bench.connect(), ScriptedOwner())
        bench.ask(running)
        let idle = try bench.connect()
        #expect(bench.relay.lane(EndpointID(0)) === idle.connection.lane)
        change(bench) { $0.authorization = "Bearer new" }
        let lane = try #require(bench.relay.lane(EndpointID(0)))
        #expect(lane !== idle.connection.lane && lane.hasCredential && !idle.isOpen)
        // What runs ends where it began; its connection is not kept.
        #expect(old.isOpen)
        old.send(jsonAnswer("{}"))
        #expect(running.calls.last == .ended && !old.isOpen)
        let (fresh, next) = (try bench.connect(), ScriptedOwner())
        bench.ask(next)
        #expect(try fresh.received().contains("Authorization: Bearer new\r\n"))
    }

    @Test func withoutRequestsIdleConnectionsWithAnOldCredentialAreClosed() throws {
        let bench = EngineBench()
        let idle = try bench.connect()
        change(bench) { $0.authorization = "Bearer new" }
        bench.advance(by: .milliseconds(100))
        #expect(!idle.isOpen)
    }

    @Test func aLearnedKindReachesTheLane() throws {
        let bench = EngineBench(.unknown)
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        change(bench) { $0.kind = .vllm }
        bench.ask(owner)
        engine.send(streamHead)
        #expect(owner.calls == [.began(200)])
    }
}
