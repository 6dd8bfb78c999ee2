import JobLifecycle
import Testing

@Suite("The batch state table")
struct BatchStateTests {
    static func batch(_ state: BatchState) -> Batch {
        var batch = Batch(
            id: BatchID("batch_1"), serial: 1, tenant: "", endpoint: "/v1/chat/completions",
            inputFile: FileID("file-1"),
            completionWindow: "24h",
            times: BatchTimes(created: WallTime(seconds: 1), expires: WallTime(seconds: 86_401)))
        batch.state = state
        return batch
    }

    static let legal: [(BatchState, BatchEvent, BatchState)] = [
        (.validating, .admitted, .inProgress), (.validating, .rejected, .failed),
        (.validating, .cancelRequested, .cancelling), (.validating, .windowClosed, .finalizing),
        (.inProgress, .cancelRequested, .cancelling), (.inProgress, .drained, .finalizing),
        (.inProgress, .windowClosed, .finalizing),
        (.finalizing, .published, .completed), (.finalizing, .cancelRequested, .cancelling),
        (.cancelling, .published, .cancelled), (.cancelling, .cancelRequested, .cancelling),
        (.cancelled, .cancelRequested, .cancelled),
    ]

    @Test("allows what is written and nothing else")
    func table() {
        for state in BatchState.allCases {
            for event in BatchEvent.allCases {
                var batch = Self.batch(state)
                let expected = Self.legal.first { $0.0 == state && $0.1 == event }?.2
                do {
                    try batch.apply(event, at: WallTime(seconds: 5))
                    #expect(batch.state == expected, "\(state) after \(event)")
                } catch {
                    #expect(expected == nil, "\(state) after \(event)")
                    #expect(error == IllegalBatchEvent(state: state, event: event))
                    #expect(batch == Self.batch(state), "a refused event changes nothing")
                }
            }
        }
    }

    @Test("a good batch passes every stamp of its way")
    func goodWay() throws {
        var batch = Self.batch(.validating)
        try batch.apply(.admitted, at: WallTime(seconds: 2))
        try batch.apply(.drained, at: WallTime(seconds: 3))
        try batch.apply(.published, at: WallTime(seconds: 4))
        #expect(batch.state == .completed)
        #expect(batch.times.inProgress == WallTime(seconds: 2))
        #expect(batch.times.finalizing == WallTime(seconds: 3))
        #expect(batch.times.completed == WallTime(seconds: 4))
        #expect(batch.times.expired == nil)
    }

    @Test("a batch whose window closed ends expired")
    func expiredWay() throws {
        var batch = Self.batch(.inProgress)
        try batch.apply(.windowClosed, at: WallTime(seconds: 3))
        #expect(batch.state == .finalizing)
        try batch.apply(.published, at: WallTime(seconds: 4))
        #expect(batch.state == .expired)
        #expect(batch.times.expired == WallTime(seconds: 4))
        #expect(batch.times.completed == nil)
    }

    @Test("cancelling again keeps the first stamp")
    func cancelTwice() throws {
        var batch = Self.batch(.inProgress)
        try batch.apply(.cancelRequested, at: WallTime(seconds: 3))
        try batch.apply(.cancelRequested, at: WallTime(seconds: 9))
        #expect(batch.times.cancelling == WallTime(seconds: 3))
    }
}
