import DataPlane
import FleetTracking
import FlowControl
import NIOCore
import NIOEmbedded
import SchedulerRuntime
import Scheduling
import Testing

/// Random conversations: good and bad requests, pipelined, cut anywhere, with engines and windows that open and close
/// at random. Every request has one answer, in its turn, and the engine sees the good ones byte for byte.
@Suite(.timeLimit(.minutes(5))) struct ConversationFuzzTests {
    @Test func everyRequestHasOneAnswerInItsTurn() throws {
        for seed in 1...400 {
            var random = Seeded(seed)
            let turns = (0...random.upTo(11)).map { Turn.random($0, &random) }
            let talk = try Conversation(turns, random: random)
            while try talk.step() {}
            try talk.end()
            try #require(talk.records.count == talk.answers.count, "seed \(seed)")
            check(turns, talk, seed)
        }
    }

    /// The client goes away anywhere: with a close, with a message cut off, or with a socket that breaks in a flush.
    @Test func aClientMayGoAtAnyTime() throws {
        for seed in 1...400 {
            var random = Seeded(1000 + seed)
            let turns = (0...random.upTo(5)).map { Turn.random($0, &random) }
            let talk = try Conversation(turns, random: random)
            var steps = random.upTo(30)
            while steps > 0, try talk.step() { steps -= 1 }
            switch seed % 3 {
            case 0: talk.gateway.channel.close(promise: nil)
            case 1:
                talk.gateway.socket.unreadAtFailure = ByteBuffer(string: random.pick(turns).text + turns[0].text)
                while try talk.step() {}
            default:
                talk.cut()
                while try talk.step() {}
                talk.gateway.channel.close(promise: nil)
            }
            try talk.end()
            let told = talk.records.count
            #expect(told >= talk.answers.count && told <= turns.count, "seed \(seed)")
            #expect(talk.records.dropLast().allSatisfy { $0.outcome != .clientGone }, "seed \(seed)")
            for (sent, turn) in zip(talk.sent, turns.filter { $0.sent != nil }) { check(sent, turn, seed) }
        }
    }

    private func check(_ turns: [Turn], _ talk: Conversation, _ seed: Int) {
        let answers = talk.answers
        #expect(answers.count == turns.count || answers.last?.header("connection") == "close", "seed \(seed)")
        for (index, (answer, turn)) in zip(answers, turns).enumerated() {
            let place: Comment = "seed \(seed), message \(index): \(turn.text)"
            #expect(answer.status == turn.status, place)
            #expect(answer.header("x-request-id") == turn.id, place)
            let closes = answer.header("connection") == "close"
            #expect(turn.ending == .either || closes == (turn.ending == .closes), place)
            #expect(!closes || index == answers.count - 1, place)
            if let sent = turn.sent { #expect(answer.text == sent.body, place) }
            #expect(talk.records[index].status == turn.status, place)
            #expect(talk.records[index].requestID == (turn.id ?? ""), place)
        }
        let expected = turns.prefix(answers.count).filter { $0.sent != nil }
        #expect(talk.sent.count == expected.count, "seed \(seed)")
        for (sent, turn) in zip(talk.sent, expected) { check(sent, turn, seed) }
    }

    private func check(_ message: TestMessage, _ turn: Turn, _ seed: Int) {
        guard let sent = turn.sent else { return }
        #expect(message.firstLine == sent.firstLine, "seed \(seed)")
        #expect(message.lines == sent.lines, "seed \(seed)")
        #expect(message.text == sent.body, "seed \(seed)")
    }
}

/// One random conversation under way.
final class Conversation {
    let gateway: EmbeddedGateway
    private let turns: [Turn]
    private let engine: EmbeddedChannel
    private var random: Seeded
    private var pieces: [ArraySlice<UInt8>]
    private var engineInbox: [UInt8] = []
    private var engineOutbox: [ArraySlice<UInt8>] = []
    private(set) var sent: [TestMessage] = []
    private(set) var answers: [TestMessage] = []
    private(set) var records: [RequestRecord] = []

    init(_ turns: [Turn], random: Seeded) throws {
        self.turns = turns
        self.random = random
        gateway = try EmbeddedGateway(hasControl: false)
        engine = try gateway.makeEngine()
        pieces = self.random.pieces(of: Array(turns.map(\.text).joined().utf8), longest: 900)
    }

    /// Does one thing at random. False: nothing is left to do.
    func step() throws -> Bool {
        switch random.upTo(5) {
        case 0...2 where sendPiece(): return true
        case 3, 4: if try runEngine() { return true }
        case 5 where random.once(in: 3):
            gateway.setWritable(false)
            return true
        default: break
        }
        if !gateway.channel.isWritable {
            gateway.setWritable(true)
            return true
        }
        let hasSent = sendPiece()
        return try runEngine() || hasSent
    }

    /// The last message to come will not be whole.
    func cut() {
        guard !pieces.isEmpty else { return }
        pieces.removeLast(random.upTo(pieces.count - 1))
        pieces[pieces.count - 1].removeLast()
    }

    private func sendPiece() -> Bool {
        guard let piece = pieces.first, piece.isEmpty || gateway.deliver(piece) else { return false }
        pieces.removeFirst()
        return true
    }

    /// The engine reads what came, or sends the next piece of an answer.
    private func runEngine() throws -> Bool {
        while let buffer = try engine.readOutbound(as: ByteBuffer.self) { engineInbox += Array(buffer: buffer) }
        if let piece = engineOutbox.first {
            engineOutbox.removeFirst()
            engine.pipeline.syncOperations.fireChannelRead(NIOAny(ByteBuffer(bytes: piece)))
            return true
        }
        let (messages, rest) = TestMessage.read(engineInbox)
        engineInbox = Array(rest)
        guard !messages.isEmpty else { return false }
        sent += messages
        let text = messages[0].text
        let answer = random.once(in: 2) ? jsonAnswer(text) : streamHead + text.chunked + "0\r\n\r\n"
        engineOutbox = random.pieces(of: Array(answer.utf8), longest: 700)
        return true
    }

    /// Ends it and looks at what every conversation leaves behind: nothing.
    func end() throws {
        answers = try gateway.answers { turns.indices.contains($0) && turns[$0].isHead }
        records = gateway.finish()
        #expect(gateway.runningWorks == 0 && gateway.services.budget.usedBytes == 0)
        #expect(gateway.connections.current == 0)
        var ends: [WorkID: Int] = [:]
        for event in gateway.events.entries {
            switch event {
            case .arrived(let arrival): ends[arrival.work] = 0
            case .finished(let work, _), .cancelled(let work): ends[work, default: 0] += 1
            default: break
            }
        }
        #expect(ends.values.allSatisfy { $0 == 1 })
    }
}
