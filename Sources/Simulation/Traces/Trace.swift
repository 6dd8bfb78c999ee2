/// One request of a trace.
package struct TraceRequest: Sendable, Equatable {
    /// Tokens of a prompt or an answer beyond which a row is taken for malformed.
    static let mostTokens = 1 << 30

    /// Nanoseconds from the trace's start, at the trace's own speed.
    package var arrival: Int64
    package var promptTokens: Int
    package var outputTokens: Int
    /// What of the prompt others may share: ids of its consecutive blocks (`Trace.blockTokens` tokens each) from its
    /// start. An id stands for its block and all before it. Empty: nothing is shared.
    package var blocks: [UInt64]
    /// Nanoseconds after its arrival at which its client goes away; nil: it stays.
    package var cancelAfter: Int64?

    package init(arrival: Int64, promptTokens: Int, outputTokens: Int, blocks: [UInt64] = []) {
        self.arrival = arrival
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.blocks = blocks
    }
}

/// Requests in the order of their arrival; the first arrives at 0.
package struct Trace: Sendable, Equatable {
    package private(set) var requests: [TraceRequest]
    /// Tokens in one shared block.
    package let blockTokens: Int

    /// Sorts by arrival (equal ones keep their order) and moves the first to 0.
    package init(_ requests: [TraceRequest], blockTokens: Int = 512) {
        self.blockTokens = max(16, blockTokens)
        let order = requests.indices.sorted { (requests[$0].arrival, $0) < (requests[$1].arrival, $1) }
        let start = order.first.map { requests[$0].arrival } ?? 0
        self.requests = order.map {
            var request = requests[$0]
            request.arrival -= start
            return request
        }
    }

    /// Nanoseconds from the first to the last arrival.
    package var span: Int64 { requests.last?.arrival ?? 0 }

    /// The part from `start` to `end` (nanoseconds), as a trace of its own.
    package func slice(from start: Int64, to end: Int64) -> Trace {
        Trace(requests.filter { $0.arrival >= start && $0.arrival < end }, blockTokens: blockTokens)
    }
}
