import EngineModel
import Testing

struct TokenizerTests {
    let tokenizer = Tokenizer()

    @Test(arguments: [
        "", "a", "the tide turns", "Ebb & Flow: 42%", "été", "🌊🐟🙂🚢", "水潮海 mixed 猫 text…", "\u{0}\n\t\"\\",
        "zzzzzzzzz  double  space", "İstanbul ﷽ 👩‍👩‍👧",
    ])
    func textComesBack(text: String) {
        let tokens = tokenizer.encode(text)
        #expect(tokenizer.decode(tokens) == text)
        #expect(tokens.allSatisfy { $0 >= 0 && $0 < Token.count })
    }

    @Test func englishIsAboutFourBytesPerToken() {
        let text = "the gateway puts both kinds of requests on one pool of servers and keeps every promise it makes"
        let ratio = Double(text.utf8.count) / Double(tokenizer.encode(text).count)
        #expect((3.0...5.0).contains(ratio), "\(ratio)")
    }

    @Test func neighboursMergeWhenReadBack() {
        #expect(tokenizer.encode("a") + tokenizer.encode("b") != tokenizer.encode("ab"))
        #expect(tokenizer.encode("ab").count == 1)
    }

    @Test func everyTokenHasItsOwnBytes() {
        var seen: Set<[UInt8]> = []
        var step: Int32 = 16
        while step < Token.count {
            // A lowercase letter's byte has a token too, which reading text never chooses: the run of one letter wins.
            if (16 + 0x61..<16 + 0x7b).contains(step) { step = 16 + 0x7b }
            var bytes: [UInt8] = []
            tokenizer.appendBytes(of: step, to: &bytes)
            if !bytes.isEmpty { #expect(seen.insert(bytes).inserted, "token \(step)") }
            if let text = String(validating: bytes, as: UTF8.self), !bytes.isEmpty {
                #expect(tokenizer.encode(text) == [step], "token \(step) is \(text)")
            }
            step += step < 2000 ? 1 : 997
        }
        for token in [Int32.min, -1, 0, 15, Token.count, Int32.max] {
            var bytes: [UInt8] = []
            tokenizer.appendBytes(of: token, to: &bytes)
            #expect(bytes.isEmpty)
        }
    }

    @Test func halfACharacterIsNeverLetOut() {
        let text = "x€🌊水é!"
        var detokenizer = Detokenizer()
        var out: [UInt8] = []
        for byte in text.utf8 {
            detokenizer.append(16 + Int32(byte), using: tokenizer, to: &out)
            #expect(String(validating: out, as: UTF8.self) != nil)
        }
        #expect(String(decoding: out, as: UTF8.self) == text)
        detokenizer.append(16 + 0xf0, using: tokenizer, to: &out)
        detokenizer.append(16 + 0x9f, using: tokenizer, to: &out)
        #expect(String(decoding: out, as: UTF8.self) == text, "what is not whole is not shown")
        detokenizer.append(16 + 0x41, using: tokenizer, to: &out)
        #expect(String(decoding: out, as: UTF8.self) == text + "\u{fffd}A")
    }

    /// Bytes in any order: always valid text, and the same as decoding the whole at once, but for an unfinished end.
    @Test(arguments: 0..<20) func randomBytesAreRepaired(seed: UInt64) {
        var word = seed &* 0x2545_f491_4f6c_dd1d | 1
        var detokenizer = Detokenizer()
        var out: [UInt8] = []
        var all: [UInt8] = []
        for _ in 0..<500 {
            word ^= word << 13
            word ^= word >> 7
            word ^= word << 17
            let byte = UInt8(truncatingIfNeeded: [0x41, 0xc3, 0xa9, 0xe6, 0xb0, 0xf0, 0x9f, 0x8c, 0xff][Int(word % 9)])
            all.append(byte)
            detokenizer.append(16 + Int32(byte), using: tokenizer, to: &out)
        }
        detokenizer.append(16 + 0x42, using: tokenizer, to: &out)
        all.append(0x42)
        #expect(String(validating: out, as: UTF8.self) == String(decoding: all, as: UTF8.self))
    }
}
