import Testing
import WireFormats

@Suite struct ChunkParserTests {
    struct Reading: Equatable {
        var data: [UInt8] = []
        var end: Int?
        var refusal: HTTPRefusal?
    }

    func read(_ bytes: [UInt8], cuts: [Int] = [], limits: HTTPLimits = HTTPLimits()) -> Reading {
        var parser = ChunkParser(limits: limits)
        var reading = Reading()
        var start = 0
        for end in cuts + [bytes.count] {
            let piece = Array(bytes[start..<end])
            let isOver = piece.withUnsafeBytes { piece -> Bool in
                var position = 0
                while true {
                    switch parser.next(piece, at: &position) {
                    case .data(let range): reading.data += piece[range]
                    case .needMore: return false
                    case .end(let offset):
                        reading.end = start + offset
                        return true
                    case .refused(let refusal):
                        reading.refusal = refusal
                        return true
                    }
                }
            }
            if isOver { return reading }
            start = end
        }
        return reading
    }

    func read(_ string: String) -> Reading { read(Array(string.utf8)) }

    @Test func readsChunksExtensionsAndTrailers() {
        let body = "5\r\nhello\r\n00b;a=\"b c\"\r\n, new world\r\n0;x\r\nX-Sum: 1\r\nY: 2\r\n\r\nGET"
        let reading = read(body)
        #expect(String(decoding: reading.data, as: UTF8.self) == "hello, new world")
        #expect(reading.end == body.utf8.count - 3)
        #expect(reading.refusal == nil)
    }

    @Test func everyCutReadsTheSame() {
        let samples = [
            "5\r\nhello\r\nA;q=1\r\n0123456789\r\n0\r\nT: v\r\n\r\nrest", "3\r\nabc\r\n0\r\n\r\n", "5\r\nhelloX\r\n",
            "0\r\n bad: x\r\n\r\n",
        ]
        for sample in samples {
            let bytes = Array(sample.utf8)
            let whole = read(bytes)
            for first in 0...bytes.count {
                for second in first...bytes.count { #expect(read(bytes, cuts: [first, second]) == whole) }
            }
            #expect(read(bytes, cuts: Array(0..<bytes.count)) == whole)
        }
    }

    @Test(arguments: [
        ("\r\n", HTTPRefusal.badChunk), ("x\r\n", .badChunk), ("-1\r\n", .badChunk), ("+1\r\n", .badChunk),
        ("0x5\r\nhello\r\n", .badChunk), (" 5\r\nhello\r\n", .badChunk), ("5 \r\nhello\r\n", .badChunk),
        ("5\nhello\r\n", .badChunk), ("5\rhello\r\n", .badChunk), ("5\r\nhello\n", .badChunk),
        ("5\r\nhello!\r\n", .badChunk), ("5;a\nb\r\n", .badChunk), ("5;a\rb\r\n", .badChunk),
        ("5;\0\r\n", .badChunk), ("1000000000000000\r\n", .badChunk), ("0000000000000005\r\n", .badChunk),
        ("5;" + String(repeating: "e", count: 300) + "\r\n", .badChunk), ("0\r\n\n", .badFieldName),
        ("0\r\n\rX", .badChunk), ("0\r\nA b: c\r\n\r\n", .badFieldName), ("0\r\nAb\r\n\r\n", .badFieldName),
        ("0\r\nA: b\nC: d\r\n\r\n", .bareLineFeed), ("0\r\n A: b\r\n\r\n", .obsoleteFolding),
        ("0\r\nA: " + String(repeating: "t", count: 5000), .trailersTooLarge),
    ])
    func refuses(_ body: String, _ refusal: HTTPRefusal) {
        #expect(read(body).refusal == refusal)
    }

    @Test func randomChunkingsGiveTheBodyBack() {
        for seed in 1...100 {
            var random = SeededBytes(seed: UInt64(seed))
            var body: [UInt8] = []
            var wire: [UInt8] = []
            for _ in 0..<Int.random(in: 0...6, using: &random) {
                let count = Int.random(in: 1...70, using: &random)
                let piece = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                body += piece
                wire += Array((String(piece.count, radix: 16) + "\r\n").utf8) + piece + [13, 10]
            }
            wire += Array("0\r\n\r\n".utf8)
            let cuts = (0..<4).map { _ in Int.random(in: 0...wire.count, using: &random) }.sorted()
            #expect(read(wire, cuts: cuts) == Reading(data: body, end: wire.count), "seed \(seed)")
            // Any damage is read alike however it is cut.
            wire[Int.random(in: 0..<wire.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            #expect(read(wire, cuts: cuts) == read(wire), "seed \(seed)")
        }
    }
}
