import Foundation
import Testing
import WireFormats

/// The scan beside Foundation's parser on documents that were changed at random.
@Suite struct RequestScanFuzzTests {
    static let corpus = [
        #"{"model":"llama","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"a \"b\" {["}],"stream":true,"stream_options":{"include_usage":true},"max_tokens":100,"n":2,"store":true}"#,
        #"{"prompt":["a","b"],"model":"m\u00e9","max_tokens":5,"stream":false,"priority":3,"logit_bias":{"1":-100}}"#,
        #" {"\u006dodel" : "x/y" , "input" : [[1,2],[3]] , "stre\u0061m":null , "background":true, "service_tier":"flex"} "#,
        #"{"model":"m","system":[{"type":"text","text":"s"}],"tools":[{"name":"f","input_schema":{"type":"object"}}],"max_tokens":1,"messages":[]}"#,
    ]

    @Test func agreesWithFoundationOnWhatItAccepts() throws {
        var random = Noise(3)
        var compared = 0
        for _ in 0..<6_000 {
            let kind = RequestKind.allCases.randomElement(using: &random) ?? .chat
            let bytes = mutated(Array((Self.corpus.randomElement(using: &random) ?? "").utf8), &random)
            guard let scan = bytes.withUnsafeBytes({ try? RequestScan.scan($0, kind: kind) }) else { continue }
            checkRanges(scan, bytes)
            guard let theirs = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else { continue }
            compared += 1
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(scan.model == theirs["model"] as? String, "\(text)")
            #expect(scan.stream == (theirs["stream"] as? Bool ?? false), "\(text)")
            #expect(scan.serviceTier == theirs["service_tier"] as? String, "\(text)")
            #expect((scan.priority == nil) == (theirs["priority"] == nil), "\(text)")
        }
        #expect(compared > 300)
    }

    /// What Foundation reads as an object with a usable model is refused only for the reasons the scan names.
    @Test func acceptsWhatFoundationReads() {
        var random = Noise(4)
        var accepted = 0
        for _ in 0..<6_000 {
            let bytes = mutated(Array((Self.corpus.randomElement(using: &random) ?? "").utf8), &random)
            guard let theirs = try? JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any],
                let model = theirs["model"] as? String, !model.isEmpty, theirs["stream"] as? String == nil,
                !hasTrailingComma(bytes)
            else { continue }
            do {
                _ = try bytes.withUnsafeBytes { try RequestScan.scan($0, kind: .chat) }
                accepted += 1
            } catch let failure as ScanFailure {
                let stated: [ScanFailure.Code] = [
                    .duplicateMember, .nulByte, .byteOrderMark, .invalidModel, .invalidStream,
                ]
                #expect(stated.contains(failure.code), "\(failure) \(String(decoding: bytes, as: UTF8.self))")
            } catch { Issue.record(error) }
        }
        #expect(accepted > 300)
    }

    @Test func everyPrefixIsRefusedOrRead() {
        for document in Self.corpus {
            let bytes = Array(document.utf8)
            let end = bytes.lastIndex(of: UInt8(ascii: "}")) ?? 0
            for length in 0...bytes.count {
                let passed = bytes[..<length].withUnsafeBytes { (try? RequestScan.scan($0, kind: .other)) != nil }
                #expect(passed == (length > end))
            }
        }
    }

    @Test func theOverwrittenBodyReadsBackWithTheNewPriority() throws {
        var random = Noise(5)
        for _ in 0..<2_000 {
            let bytes = mutated(Array((Self.corpus.randomElement(using: &random) ?? "").utf8), &random)
            try bytes.withUnsafeBytes { body in
                guard let scan = try? RequestScan.scan(body, kind: .chat) else { return }
                let changed = scan.overwritingPriority(-42).apply(to: body)
                try changed.withUnsafeBytes { body in
                    let again = try RequestScan.scan(body, kind: .chat)
                    let priority = try #require(again.priority)
                    #expect(Array(body[priority]) == Array("-42".utf8))
                    #expect(again.model == scan.model && again.stream == scan.stream)
                }
            }
        }
    }

    private func checkRanges(_ scan: RequestScan, _ bytes: [UInt8]) {
        let all = 0..<bytes.count
        for range in scan.promptText + [scan.modelValue] + [scan.priority].compactMap({ $0 }) {
            #expect(all.lowerBound <= range.lowerBound && range.upperBound <= all.upperBound && !range.isEmpty)
        }
        #expect(scan.promptTokenEstimate >= 1 && scan.sequences >= 1)
    }
}
