import NIOCore
import WireFormats

/// What is learned from an answer as it passes: output, usage, error events.
struct AnswerWatch {
    private(set) var isStream = false
    /// Of a stream. Not an optional: reading a part of one copies the whole, once for each chunk.
    private var observer = StreamObserver()
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
        } else if isJSON {
            if case .length(let length) = head.head.framing { wholeLength = length }
        }
        wantsTail = isJSON
    }

    private var wantsTail = false
    /// The most events before a stream's first output, with room to spare: five in the Responses API.
    private static let openingEvents = 8

    mutating func observe(_ bytes: UnsafeRawBufferPointer) {
        if isStream {
            observer.observe(bytes)
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
        if isStream { observer.finish() }
        if let tail { scan = tail.scan() }
    }

    var firstEvent: FirstEventVerdict { isStream ? observer.firstEvent : .ordinary }
    /// Of a stream, about one for each token.
    var outputTokens: Int { observer.contentEvents }
    /// Something was put out. Events that say nothing (a role, `response.created`, a ping) may come for as long as the
    /// engine likes. After more of others than begin a stream, output is taken to have begun even where its events are
    /// of no known form.
    var hasOutput: Bool {
        observer.contentEvents > 0 || observer.events - observer.silentEvents > AnswerWatch.openingEvents
    }
    var hasErrorEvent: Bool { observer.errorEvent }
    var usage: TokenUsage? { isStream ? observer.usage : scan?.usage }

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
