import EngineModel
import NIOCore

/// What the engine counted about its requests, as vLLM's metrics show it. Times are those of the wall.
struct EngineStatistics {
    struct Histogram {
        let bounds: [Double]
        private(set) var buckets: [Int]
        private(set) var sum = 0.0
        private(set) var count = 0

        init(_ bounds: [Double]) {
            self.bounds = bounds
            buckets = Array(repeating: 0, count: bounds.count)
        }

        mutating func observe(_ value: Double) {
            sum += value
            count += 1
            if let index = bounds.firstIndex(where: { value <= $0 }) { buckets[index] += 1 }
        }
    }

    static let latencyBounds: [Double] = [
        0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680,
    ]
    static let tokenBounds: [Double] = [
        1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000,
    ]
    static let intervalBounds: [Double] = [
        0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80,
    ]

    var timeToFirstToken = Histogram([
        0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640,
        2560,
    ])
    var interTokenLatency = Histogram(intervalBounds)
    var timePerOutputToken = Histogram(intervalBounds)
    var endToEnd = Histogram(latencyBounds)
    var queueTime = Histogram(latencyBounds)
    var prefillTime = Histogram(latencyBounds)
    var decodeTime = Histogram(latencyBounds)
    var iterationTokens = Histogram([
        1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384,
    ])
    var promptTokens = Histogram(tokenBounds)
    var generationTokens = Histogram(tokenBounds)
    /// Requests by how they ended.
    var finishedStop = 0
    var finishedLength = 0
    var finishedAbort = 0

    /// A call got tokens: its first ones, or later ones.
    mutating func countTokens(of call: EngineCall, now: NIODeadline) {
        if call.firstTokenAt == nil {
            call.firstTokenAt = now
            timeToFirstToken.observe((now - call.arrivedAt).seconds)
            let start = call.startedAt ?? call.enqueuedAt
            prefillTime.observe((now - start).seconds)
            queueTime.observe((start - call.enqueuedAt).seconds)
        } else {
            interTokenLatency.observe((now - call.lastTokenAt).seconds)
        }
        call.lastTokenAt = now
    }

    mutating func countEnd(of call: EngineCall, now: NIODeadline) {
        for branch in call.branches {
            if branch.finish == .stop { finishedStop += 1 } else { finishedLength += 1 }
        }
        endToEnd.observe((now - call.arrivedAt).seconds)
        promptTokens.observe(Double(call.request.promptTokens))
        generationTokens.observe(Double(call.generated))
        guard let first = call.firstTokenAt else { return }
        decodeTime.observe((now - first).seconds)
        let tokens = call.generated / max(1, call.branches.count)
        if tokens > 1 { timePerOutputToken.observe((now - first).seconds / Double(tokens - 1)) }
    }
}

extension TimeAmount {
    /// For metrics.
    var seconds: Double { Double(nanoseconds) / 1e9 }
}
