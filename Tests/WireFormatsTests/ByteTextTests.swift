import Testing
import WireFormats

@Suite struct ByteTextTests {
    private func text(_ build: (inout ByteText) -> Void) -> String {
        // Small on purpose: it grows in the middle of nearly every piece.
        var text = ByteText(capacity: 1)
        build(&text)
        return text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    @Test(arguments: [0, 9, 10, 99, 100, 12_345, -1, Int.max, Int.min, 1_000_000_000_000_000_000])
    func decimalsAreThoseOfTheLibrary(_ number: Int) {
        #expect(text { $0.append(decimal: number) } == String(number))
    }

    @Test func paddedNumbersKeepTheirLastDigits() {
        #expect(text { $0.append(padded: 7, digits: 3) } == "007")
        #expect(text { $0.append(padded: 12_345, digits: 3) } == "345")
    }

    @Test(arguments: [0, 1, 0x0123_4567_89ab_cdef, UInt64.max, 0x8000_0000_0000_000a])
    func hexadecimalsHaveSixteenDigits(_ number: UInt64) {
        let digits = String(number, radix: 16)
        let padded = String(repeating: "0", count: 16 - digits.count) + digits
        #expect(text { $0.append(hexadecimal: number) } == padded)
    }

    @Test func millisecondsHaveThreeDecimals() {
        #expect(text { $0.append(milliseconds: 1_234_567_890) } == "1234.567")
        #expect(text { $0.append(milliseconds: -5) } == "0.000")
    }

    @Test func piecesFollowEachOtherAndTheMemoryIsUsedAgain() {
        var text = ByteText(capacity: 1)
        for round in 0..<3 {
            text.removeAll()
            let isEmpty = text.isEmpty
            #expect(isEmpty)
            text.append("one ")
            text.append(string: "zwölf ")
            text.append(bytes: [0x21, 0x20])
            for _ in 0..<round { text.append(UInt8(ascii: ".")) }
            let expected = "one zwölf ! " + String(repeating: ".", count: round)
            let (bytes, count) = (text.withUnsafeBytes { Array($0) }, text.count)
            #expect(bytes == Array(expected.utf8))
            #expect(count == expected.utf8.count)
        }
    }

    /// Every single byte at every place within a word is escaped exactly when JSON or a log must not hold it bare.
    @Test func quotedTextIsEscapedWhereItMust() {
        for scalar in (0..<0x80).compactMap(UnicodeScalar.init) {
            for place in 0..<17 {
                let before = String(repeating: "é", count: place / 2) + String(repeating: "a", count: place % 2)
                let plain = before + String(scalar) + "b"
                let value = scalar.value
                let digits = String(value, radix: 16)
                let escaped =
                    value == 0x22 || value == 0x5c
                    ? "\\" + String(scalar)
                    : value < 0x20 || value == 0x7f ? "\\u00" + (digits.count == 1 ? "0" : "") + digits : String(scalar)
                #expect(text { $0.append(quoted: plain) } == "\"" + before + escaped + "b\"")
            }
        }
    }

    @Test func quotedTextIsCutBetweenCharacters() {
        #expect(text { $0.append(quoted: "ab😀", limitBytes: 5) } == "\"ab\"")
        #expect(text { $0.append(quoted: "ab😀", limitBytes: 6) } == "\"ab😀\"")
    }
}
