import NIOCore
import WireFormats

/// What is learned from an answer as it passes: output, usage, error events.
struct AnswerWatch {
    private(set) var isStream = false
    private var observer: StreamObserver?
    private var tail: AnswerTail?
    private var scan: AnswerScan?
    /// The length of an answer that may come in one piece.
    private var wholeLength = -1

    init() {}

    /// An answer that is compressed cannot be watched: it counts as one that is no stream.
    init(_ head: EngineHead) {
        guard (200..<300).contains(head.head.status), let type = head.head.fields.first(.contentType),
            AnswerWatch.isPlain(head)
        else { return }
        let (isEvents, isJSON) = head.bytes.withUnsafeReadableBytes { bytes in
            (
                AnswerWatch.hasPrefix(bytes, type.valueRange, "text/event-stream"),
                AnswerWatch.hasPrefix(bytes, type.valueRange, "application/json")
            )
        }
        if isEvents {
            isStream = true
            observer = StreamObserver()
        } else if isJSON {
            if case .length(let length) = head.head.framing { wholeLength = length }
        }
        wantsTail = isJSON
    }

    private var wantsTail = false

    mutating func observe(_ bytes: UnsafeRawBufferPointer) {
        if isStream {
            observer?.observe(bytes)
        } else if wantsTail {
            if bytes.count == wholeLength {
                scan = AnswerScan(whole: bytes)
                return
            }
            if tail == nil { tail = AnswerTail() }
            tail?.observe(bytes)
        }
    }

    mutating func finish() {
        observer?.finish()
        if let tail { scan = tail.scan() }
    }

    var firstEvent: FirstEventVerdict { observer?.firstEvent ?? .ordinary }
    /// Of a stream, about one for each token.
    var outputTokens: Int { observer?.contentEvents ?? 0 }
    var hasErrorEvent: Bool { observer?.errorEvent ?? false }
    var usage: TokenUsage? { isStream ? observer?.usage : scan?.usage }

    private static func isPlain(_ head: EngineHead) -> Bool {
        guard let coding = head.head.fields.first(.contentEncoding) else { return true }
        return head.bytes.withUnsafeReadableBytes {
            coding.valueRange.isEmpty || ByteScan.equals($0, coding.valueRange, lowercased: "identity")
        }
    }

    private static func hasPrefix(
        _ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ literal: StaticString
    ) -> Bool {
        ByteScan.equals(bytes, range.prefix(literal.utf8CodeUnitCount), lowercased: literal)
    }
}
