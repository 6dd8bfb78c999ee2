import FleetTracking
import FlowControl
import NIOCore
import Scheduling
import Testing

@testable import DataPlane
@testable import SchedulerRuntime

/// What engines say, in every cut: the same comes of it however it arrives.
@Suite struct EngineAnswerTests {
    static let role = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n"
    static let overload = "data: {\"error\":{\"message\":\"The request queue is full.\",\"code\":503}}\n\n"
    static let failure = "data: {\"error\":{\"message\":\"CUDA error\",\"code\":500}}\n\n"
    static let done = "data: [DONE]\n\n"

    /// Sends `answer` in the pieces of each cut to a fresh request, and hands the bench over.
    private func everyCut(
        of answer: String, kind: EngineKind, _ check: (EngineBench, ScriptedOwner, EngineEnd, _ cut: Int) throws -> Void
    ) throws {
        let bytes = Array(answer.utf8)
        // 0 stands for: each byte alone.
        for cut in 0..<bytes.count {
            let bench = EngineBench(kind)
            let (engine, owner) = (try bench.connect(0), ScriptedOwner())
            let other = try bench.connect(1)
            bench.ask(owner)
            let pieces = cut == 0 ? bytes.map { [$0] } : [Array(bytes[..<cut]), Array(bytes[cut...])]
            for piece in pieces { engine.send(piece) }
            if try other.received().hasPrefix("POST") { other.send(jsonAnswer("{\"other\":1}")) }
            try check(bench, owner, engine, cut)
        }
    }

    @Test(arguments: [EngineKind.vllm, .sglang, .unknown, .llamacpp])
    func anErrorEventAfterA200IsPassedOnAndCounted(_ kind: EngineKind) throws {
        let events = [Self.role, event("one"), Self.failure, Self.done]
        let answer = streamHead + events.map { chunk($0) }.joined() + "0\r\n\r\n"
        try everyCut(of: answer, kind: kind) { bench, owner, engine, cut in
            #expect(owner.calls.first == .began(200) && owner.calls.last == .ended, "cut \(cut)")
            #expect(owner.text == answer.dropFirst(streamHead.count), "cut \(cut)")
            #expect(bench.ends == [.engineStreamError] && bench.failures.isEmpty, "cut \(cut)")
            #expect(bench.records.map(\.outcome) == [.engineStreamError], "cut \(cut)")
            #expect(bench.records[0].status == 200 && bench.records[0].outputTokens == 1, "cut \(cut)")
            #expect(engine.isOpen, "cut \(cut)")
        }
    }

    /// SGLang admits a stream with a 200 and says in its first event that it is full.
    @Test(arguments: [EngineKind.sglang, .unknown])
    func anOverloadAsFirstEventGoesElsewhereUnseen(_ kind: EngineKind) throws {
        let answer = streamHead + chunk(": hello\n\n") + chunk(Self.overload) + chunk(Self.done) + "0\r\n\r\n"
        try everyCut(of: answer, kind: kind) { bench, owner, _, cut in
            #expect(bench.failures == [.full(retryAfter: nil)], "cut \(cut)")
            #expect(owner.calls == [.began(200), .bytes("{\"other\":1}"), .ended], "cut \(cut)")
            #expect(owner.heads == 2 && bench.ends == [.completed], "cut \(cut)")
            #expect(bench.records.map(\.attempts) == [2], "cut \(cut)")
            #expect(bench.records[0].bytesOut == 11 && bench.starts == 1, "cut \(cut)")
        }
    }

    /// Another error as first event is the answer: asking elsewhere would bring the same.
    @Test func anotherErrorAsFirstEventIsTheAnswer() throws {
        let answer = streamHead + chunk(Self.failure) + chunk(Self.done) + "0\r\n\r\n"
        try everyCut(of: answer, kind: .sglang) { bench, owner, _, cut in
            #expect(bench.failures.isEmpty && bench.ends == [.engineStreamError], "cut \(cut)")
            #expect(owner.text == answer.dropFirst(streamHead.count), "cut \(cut)")
        }
    }

    @Test func aVLLMStreamIsNotHeldBackForItsFirstEvent() throws {
        for (kind, isHeld) in [(EngineKind.vllm, false), (.llamacpp, false), (.sglang, true), (.unknown, true)] {
            let bench = EngineBench(kind)
            let (engine, owner) = (try bench.connect(), ScriptedOwner())
            bench.ask(owner)
            engine.send(streamHead)
            #expect((owner.calls == []) == isHeld, "\(kind)")
            engine.send(chunk(Self.role))
            #expect(owner.calls.first == .began(200), "\(kind)")
        }
    }

    /// What cannot be read is not waited for.
    @Test func aCompressedStreamIsNotHeldBack() throws {
        let bench = EngineBench(.unknown)
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        engine.send(String(streamHead.dropLast()) + "Content-Encoding: gzip\r\n\r\n" + chunk("\u{1f}xx"))
        #expect(owner.calls == [.began(200), .bytes(chunk("\u{1f}xx"))])
        #expect(bench.starts == 1)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\":\"b\"}",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n"
            + "HTTP/1.1 400 Bad\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3;a=b\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\nT: 1\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n",
    ])
    func everyFramingInEveryCut(_ answer: String) throws {
        let body = answer.components(after: "\r\n\r\n", of: answer.contains("103 Early") ? 3 : 1)
        try everyCut(of: answer, kind: .vllm) { bench, owner, engine, cut in
            #expect(owner.calls.last == .ended && owner.text == body, "cut \(cut)")
            #expect(bench.ends == [.completed] && engine.isOpen, "cut \(cut)")
            // The connection serves the next request.
            let next = ScriptedOwner()
            bench.ask(next)
            engine.send(jsonAnswer("{\"next\":1}"))
            #expect(next.calls == [.began(200), .bytes("{\"next\":1}"), .ended], "cut \(cut)")
        }
    }

    // MARK: Output

    @Test(arguments: [EngineKind.vllm, .sglang])
    func theWorkStartsWithItsFirstOutput(_ kind: EngineKind) throws {
        let bench = EngineBench(kind)
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        bench.advance(by: .seconds(1))
        for piece in [streamHead, chunk(": wait\n\n"), chunk(Self.role)] {
            engine.send(piece)
            #expect(bench.starts == 0)
        }
        bench.advance(by: .seconds(7))
        engine.send(chunk(event("a")))
        #expect(bench.starts == 1)
        bench.advance(by: .seconds(1))
        engine.send(chunk(event("b")) + "0\r\n\r\n")
        #expect(bench.starts == 1 && bench.ends == [.completed])
        let record = try #require(bench.records.first)
        #expect(record.firstByteAt == record.arrivedAt + .seconds(8))
        #expect(record.outputTokens == 2)
    }

    @Test func aShortStreamInOneReadHasAFirstOutputToo() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        bench.advance(by: .seconds(3))
        engine.send(streamHead + chunk(event("a")) + "0\r\n\r\n")
        #expect(bench.records.first?.firstByteAt == bench.clock.clock.now())
        #expect(bench.starts == 1)
    }

    @Test func anUnstreamedAnswerStartsWithItsBody() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        engine.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 4\r\n\r\n")
        #expect(bench.starts == 0)
        bench.advance(by: .seconds(2))
        engine.send("{\"")
        #expect(bench.starts == 1)
        engine.send("\"}")
        #expect(bench.records.first?.firstByteAt == bench.records.first.map { $0.arrivedAt + .seconds(2) })
    }

    /// A stream that brought nothing proves no prefill.
    @Test func aStreamWithoutOutputDoesNotStart() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        bench.ask(owner)
        engine.send(streamHead + chunk(Self.role))
        engine.reset()
        #expect(bench.starts == 0 && bench.ends == [.engineTruncated])
        #expect(owner.calls.last == .broken(.engineTruncated) && bench.records.first?.firstByteAt == nil)
    }

    @Test func gapsBetweenOutputAreCountedOncePerRead() throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        let exchange = bench.ask(owner)
        engine.send(streamHead + chunk(Self.role))
        bench.advance(by: .seconds(3))
        engine.send(chunk(event("a")))
        bench.clock.advance(by: .milliseconds(12))
        engine.send(chunk(event("b")) + chunk(event("c")))
        bench.clock.advance(by: .milliseconds(3))
        engine.send(chunk(": comment\n\n"))
        bench.clock.advance(by: .milliseconds(4))
        engine.send(chunk(event("d")))
        // The time for which the client took nothing says nothing about the engine.
        exchange.pause()
        bench.clock.advance(by: .milliseconds(900))
        exchange.resume()
        engine.send(chunk(event("e")))
        bench.clock.advance(by: .microseconds(500))
        engine.send(chunk(event("f")) + "0\r\n\r\n")
        let counts = bench.relay.gaps.counts(.realtime)
        #expect(counts.buckets.reduce(0, +) == 3 && abs(counts.seconds - 0.0195) < 1e-9)
        #expect(bench.relay.gaps.counts(.async).buckets.allSatisfy { $0 == 0 })
    }

    /// A client's window closes inside the read that fills it.
    @Test(arguments: [false, true])
    func aPauseInsideAReadIsNoGap(isToldMeanwhile: Bool) throws {
        let bench = EngineBench()
        let (engine, owner) = (try bench.connect(), ScriptedOwner())
        let exchange = bench.ask(owner)
        engine.send(streamHead + chunk(event("a")))
        owner.onFlush = { $0.pause() }
        engine.send(chunk(event("b")))
        owner.onFlush = { _ in }
        if isToldMeanwhile {
            #expect(exchange.takeProgress().map { $0.outputTokens == 2 && $0.lastOutputAt == nil } == true)
        }
        bench.clock.advance(by: .milliseconds(900))
        exchange.resume()
        engine.send(chunk(event("c")))
        let seenAt = bench.clock.clock.now()
        let next = try #require(exchange.takeProgress())
        // A window of the engine's pace does not reach over the pause.
        #expect(next.outputTokens == (isToldMeanwhile ? 1 : 3) && next.lastOutputAt == (isToldMeanwhile ? seenAt : nil))
        engine.send(chunk(event("d")) + "0\r\n\r\n")
        let counts = bench.relay.gaps.counts(.realtime)
        #expect(counts.buckets.reduce(0, +) == 1 && counts.seconds == 0)
    }
}

extension String {
    /// What stands behind the nth occurrence of `mark`.
    fileprivate func components(after mark: String, of count: Int) -> String {
        var rest = self[...]
        for _ in 0..<count {
            guard let range = rest.firstRange(of: mark) else { return "" }
            rest = rest[range.upperBound...]
        }
        return String(rest)
    }
}
