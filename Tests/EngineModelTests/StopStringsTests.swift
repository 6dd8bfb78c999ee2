import EngineModel
import Testing

struct StopStringsTests {
    /// What a stream shows piece by piece, and which stop string ended it.
    private func run(
        _ pieces: [String], stop: [String], includesStop: Bool = false, minimumTokens: Int = 0
    ) -> (shown: [String], stopped: Int?) {
        var matcher = StopStrings(stop, includesStop: includesStop, minimumTokens: minimumTokens)
        var shown: [String] = []
        for piece in pieces {
            var out: [UInt8] = []
            let hit = matcher.append(Array(piece.utf8)[...], released: &out)
            shown.append(String(decoding: out, as: UTF8.self))
            if hit != nil { return (shown, hit) }
        }
        var rest: [UInt8] = []
        matcher.finish(released: &rest)
        shown.append(String(decoding: rest, as: UTF8.self))
        return (shown, nil)
    }

    @Test func withoutStopStringsTextPasses() {
        #expect(run(["a", "b"], stop: []).shown == ["a", "b", ""])
        #expect(run(["a", "b"], stop: [""]).shown == ["a", "b", ""])
    }

    @Test func aStopStringAcrossTokensIsNeverShown() {
        let result = run(["one ", "E", "N", "D of"], stop: ["END"])
        #expect(result.stopped == 0)
        #expect(result.shown.joined() == "one ")
        #expect(result.shown == ["on", "e", " ", ""], "two characters stay behind")
    }

    @Test func whatWasHeldBackIsShownAtTheEnd() {
        let result = run(["one ", "E", "N"], stop: ["END"])
        #expect(result.stopped == nil)
        #expect(result.shown.joined() == "one EN")
    }

    @Test func theListsOrderDecides() {
        let result = run(["abcd"], stop: ["cd", "b"])
        #expect(result.stopped == 0)
        #expect(result.shown == ["ab"])
    }

    @Test func theStopStringIsShownOnRequest() {
        #expect(run(["ab", "cde"], stop: ["bc"], includesStop: true).shown.joined() == "abc")
    }

    @Test func minimumTokensExemptsWhatCameBefore() {
        #expect(run(["x", "x", "x", "x"], stop: ["x"], minimumTokens: 2).shown.joined() == "xx")
        let across = run(["a", "E", "ND", "z"], stop: ["END"], minimumTokens: 2)
        #expect(across.stopped == 0, "a match that ends after the minimum counts")
        #expect(across.shown.joined() == "a")
    }

    @Test func charactersOfSeveralBytesAreHeldWhole() {
        let result = run(["🌊", "潮", "é"], stop: ["éé"])
        #expect(result.shown == ["", "🌊", "潮", "é"])
    }

    /// Any split of a text into pieces shows the text up to the first stop string.
    @Test(arguments: 0..<30) func anySplitShowsTheSame(seed: UInt64) {
        var word = seed &* 0x2545_f491_4f6c_dd1d | 1
        func random(_ bound: Int) -> Int {
            word ^= word << 13
            word ^= word >> 7
            word ^= word << 17
            return Int(word % UInt64(bound))
        }
        for _ in 0..<20 {
            let text = (0..<30).map { _ in ["a", "b", "é", "\n"][random(4)] }
            let stop = (0..<1 + random(3)).map { _ in ["a", "b", "é", "\n"][random(4)] }.joined()
            var pieces: [String] = []
            for character in text {
                if random(2) == 0 || pieces.isEmpty { pieces.append("") }
                pieces[pieces.count - 1] += character
            }
            let whole = text.joined()
            let expected = whole.firstRange(of: stop).map { String(whole[..<$0.lowerBound]) } ?? whole
            #expect(run(pieces, stop: [stop]).shown.joined() == expected)
        }
    }
}
