import Foundation
import Testing
import WireFormats

@Suite struct JSONTests {
    static let documents = [
        #"{"a":[1,2.5,-3e10,true,false,null,"x\ny\u00e9\ud83d\ude00"],"b":{"c":{}},"d":[],"":""}"#,
        " [ 0 , -0.0 , 1E+2 , \"\\\"\\\\\\/\\b\\f\\n\\r\\t\" ] ",
        #""text""#, "17", "true", "{}", "[[[[]]]]",
        #"{"model":"m","messages":[{"role":"user","content":"hello 你好 \\ \" end"}],"n":1}"#,
    ]

    @Test(arguments: [
        "", " ", "{", "[", "[1,]", "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "[1 2]", "01", "-", "1.", "1e",
        ".5", "+1", "nul", "True", "NaN", "Infinity", "\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12\"", "\"\u{01}\"",
        "\"a\nb\"", "[1]]", "{}{}", "[}", "\u{FEFF}{}", "'a'", "// c\n1",
    ])
    func theGrammarRefuses(_ text: String) {
        #expect(!withBytes(text) { JSONSyntax.isValid($0) })
    }

    @Test(arguments: documents)
    func theGrammarAccepts(_ text: String) { #expect(withBytes(text) { JSONSyntax.isValid($0) }) }

    @Test func theGrammarRefusesBrokenUTF8() {
        for broken: [UInt8] in [
            [0x22, 0x80, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE4, 0xBD],
        ] {
            #expect(!broken.withUnsafeBytes { JSONSyntax.isValid($0) })
        }
    }

    /// Mutated documents: our grammar and Foundation's agree, but where Foundation is known to differ.
    @Test func theGrammarAgreesWithFoundation() {
        var random = Noise(1)
        var accepted = 0
        for _ in 0..<6_000 {
            let document = Self.documents.randomElement(using: &random) ?? ""
            let bytes = mutated(Array(document.utf8), &random)
            let ours = bytes.withUnsafeBytes { JSONSyntax.isValid($0) }
            // Foundation reads other encodings by their NUL bytes, skips a byte order mark, refuses halves of
            // surrogate pairs and numbers out of range, and allows commas at the end and some control characters.
            guard !bytes.contains(0), !bytes.starts(with: [0xEF, 0xBB, 0xBF]) else { continue }
            let theirs = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            let text = String(decoding: bytes, as: UTF8.self)
            if ours { accepted += 1 }
            if ours && !theirs {
                #expect(
                    text.lowercased().contains("\\ud") || text.contains(where: { $0 == "e" || $0 == "E" }), "\(text)")
            } else if !ours {
                #expect(!theirs || hasTrailingComma(bytes) || bytes.contains { $0 < 0x20 || $0 == 0x7F }, "\(text)")
            }
        }
        #expect(accepted > 150)
    }

    /// The cursor delimits every text that the grammar accepts, and never reads outside of any.
    @Test func theCursorFollowsTheGrammar() {
        var random = Noise(2)
        for _ in 0..<6_000 {
            let bytes = mutated(Array((Self.documents.randomElement(using: &random) ?? "").utf8), &random)
            bytes.withUnsafeBytes { buffer in
                var cursor = JSONCursor(buffer)
                let delimited = (try? cursor.value()) != nil && (try? cursor.finish()) != nil
                if JSONSyntax.isValid(buffer) { #expect(delimited) }
                if let tree = try? JSONValue.parse(buffer, limits: JSONLimits(rejectsDuplicates: false)) {
                    var json = JSONText()
                    json.value(tree)
                    #expect((try? JSONValue.parse(json.bytes, limits: JSONLimits(rejectsDuplicates: false))) == tree)
                }
            }
        }
    }

    @Test func theTreeKeepsOrderAndBigNumbers() throws {
        let tree = try JSONValue.parse(
            Array(#"{"z":123456789012345678901234567890,"a":[1.50,"é"],"t":true,"n":null}"#.utf8))
        #expect(tree.members?.map(\.name) == ["z", "a", "t", "n"])
        #expect(tree["z"] == .number("123456789012345678901234567890"))
        #expect(tree["z"]?.int == nil)
        #expect(tree["a"]?.array?.first?.double == 1.5)
        #expect(tree["a"]?.array?.last?.string == "é")
        #expect(tree["t"]?.bool == true && tree["n"]?.isNull == true && tree["q"] == nil)
        #expect(JSONValue.number("1e3").int == 1_000 && JSONValue.number("1.5").int == nil)
        #expect(JSONValue.number("1e400").int == nil && JSONValue.number("1e400").double == nil)
    }

    @Test func theTreeHasLimits() {
        func code(_ text: String, _ limits: JSONLimits) -> ScanFailure.Code? {
            do {
                _ = try JSONValue.parse(Array(text.utf8), limits: limits)
                return nil
            } catch { return error.code }
        }
        #expect(
            code(String(repeating: "[", count: 5) + String(repeating: "]", count: 5), JSONLimits(maximumDepth: 4))
                == .tooDeep)
        #expect(
            code(String(repeating: "[", count: 4) + String(repeating: "]", count: 4), JSONLimits(maximumDepth: 4))
                == nil)
        #expect(code("[1,2,3]", JSONLimits(maximumValues: 3)) == .tooLarge)
        #expect(code("[1,2]", JSONLimits(maximumValues: 3)) == nil)
        #expect(code("[1,2,3]", JSONLimits(maximumBytes: 6)) == .tooLarge)
        #expect(code(#"{"a":1,"\u0061":2}"#, JSONLimits()) == .duplicateMember)
        #expect(code(#"{"a":1,"\u0061":2}"#, JSONLimits(rejectsDuplicates: false)) == nil)
    }

    @Test func theWriterEscapesAndSeparates() {
        var json = JSONText()
        json.object {
            $0.member("text", "quote \" slash \\ line\n tab\t bell\u{07} del\u{7F} é 😀")
            $0.array("numbers") {
                $0.value(1)
                $0.value(-2.5)
                $0.value(3.0)
                $0.value(Double.nan)
                $0.value(1e300)
            }
            $0.object("empty") { _ in }
            $0.member("none", String?.none)
            $0.member("yes", true)
            $0.member("raw", raw: Array("{\"x\":1}".utf8))
        }
        let expected =
            #"{"text":"quote \" slash \\ line\n tab\t bell\u0007 del\u007f é 😀","numbers":[1,-2.5,3,null,1e+300],"#
            + #""empty":{},"none":null,"yes":true,"raw":{"x":1}}"#
        #expect(json.text == expected)
        #expect(json.bytes.withUnsafeBytes { JSONSyntax.isValid($0) })
    }

    @Test(arguments: [
        ("5", 5), ("-5", -5), ("100.0", 100), ("1e2", 100), ("1e400", nil), ("1.5", nil), ("\"5\"", nil), ("true", nil),
        ("99999999999999999999", Int.max), ("-99999999999999999999", Int.min), ("1e30", Int.max), ("-1e30", Int.min),
        ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min), ("inf", nil), ("nan", nil), ("-", nil),
        ("0x10", nil), ("-9223372036854775808.0", Int.min),
    ])
    func readsWholeNumbers(_ text: String, _ value: Int?) {
        #expect(withBytes(text) { JSONScalar.integer($0, 0..<$0.count) } == value)
    }
}
