import NIOCore
import Testing

@testable import App

struct JSONReaderTests {
    @Test func documentsAreRead() throws {
        let value = try JSONReader.read(
            " {\"a\": [1, -2.5e2, true, false, null, \"x\\n\\u00e9\\ud83c\\udf0a\"], \"b\": {}, \"a\": 7, \"big\": 123456789012345678901} "
        )
        #expect(value["a"]?.integer == 7, "of equal names the last counts")
        #expect(value["b"] == .object([]))
        #expect(value["big"]?.integer == nil && value["big"]?.number != nil)
        guard case .object(let members) = value else { return #expect(Bool(false)) }
        let items: [JSONValue] = [.integer(1), .number(-250), .bool(true), .bool(false), .null, .string("x\né🌊")]
        #expect(members.first?.value == .array(items))
    }

    @Test(arguments: [
        "", " ", "{", "[", "[1,]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}", "nul", "tru", "01", "1.", "-", "1e",
        "\"",
        "\"\\x\"", "\"\\u12\"", "\"a\nb\"", "1 2", "[1 2]", "{\"a\":1 \"b\":2}", "'a'", "+1", ".5", "1e999",
        "\u{feff}1",
    ]) func brokenDocumentsAreRefused(text: String) {
        #expect(throws: JSONReader.Failure.self) { try JSONReader.read(text) }
    }

    @Test func depthIsBounded() {
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: JSONReader.Failure.self) { try JSONReader.read(deep) }
        let fine = String(repeating: "[", count: 100) + String(repeating: "]", count: 100)
        #expect(throws: Never.self) { try JSONReader.read(fine) }
    }

    @Test func aLoneSurrogateIsReplaced() throws {
        #expect(try JSONReader.read("\"\\ud83cx\"") == .string("\u{fffd}x"))
        #expect(try JSONReader.read("\"\\ud83c\\u0041\"") == .string("\u{fffd}A"))
    }

    /// A valid document with bytes changed: read or refused, never a crash; what is written is read back.
    @Test(arguments: 0..<10) func changedBytesNeverCrash(seed: UInt64) throws {
        var word = seed &* 0x2545_f491_4f6c_dd1d | 1
        func random(_ bound: Int) -> Int {
            word ^= word << 13
            word ^= word >> 7
            word ^= word << 17
            return Int(word % UInt64(bound))
        }
        let document = Array(
            "{\"model\":\"é🌊\",\"n\":[1,-2.5e3,true,null],\"s\":\"a\\u00e9\\\\\\\"\",\"o\":{\"x\":{}}}".utf8)
        var read = 0
        for _ in 0..<1000 {
            var bytes = document
            for _ in 0..<random(4) { bytes[random(bytes.count)] = UInt8(random(256)) }
            if random(4) == 0 { bytes.removeLast(random(bytes.count)) }
            if (try? bytes.withUnsafeBufferPointer({ try JSONReader.read($0) })) != nil { read += 1 }
            let text = String(decoding: bytes, as: UTF8.self)
            var buffer = ByteBuffer()
            buffer.writeJSON(text)
            #expect(try JSONReader.read(String(buffer: buffer)) == .string(text))
        }
        #expect((1..<1000).contains(read))
    }
}
