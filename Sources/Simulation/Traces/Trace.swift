package import FleetTracking

/// One request of a trace.
package struct TraceRequest: Sendable, Equatable {
    /// Tokens of a prompt or an answer beyond which a row is taken for malformed.
    static let mostTokens = 1 << 30

    /// Nanoseconds from the trace's start, at the trace's own speed.
    package var arrival: Int64
    package var promptTokens: Int
    package var outputTokens: Int
    /// What of the prompt others may share: ids of its consecutive blocks (`Trace.blockTokens` tokens each) from its
    /// start. An id stands for its block and all before it. Empty: nothing is shared, or `chain` tells.
    package var blocks: [UInt64]
    /// What a gateway hashed of the prompt: then the scheduler is given exactly this, and `blocks` is empty.
    package var chain: [PrefixBlock] = []
    /// Nanoseconds after its arrival at which its client goes away; nil: it stays.
    package var cancelAfter: Int64?

    package init(arrival: Int64, promptTokens: Int, outputTokens: Int, blocks: [UInt64] = []) {
        self.arrival = arrival
        self.promptTokens = promptTokens
        self.outputTokens = outputTokens
        self.blocks = blocks
    }
}

/// Requests in the order of their arrival, and jobs that had been waiting for room; the first of all arrives at 0.
package struct Trace: Sendable, Equatable {
    package private(set) var requests: [TraceRequest]
    /// In the order in which they came to a gateway's room.
    package private(set) var jobs: [TraceRequest]
    /// Tokens in one shared block.
    package let blockTokens: Int
    /// Bytes of prompt text for one token.
    package var bytesPerToken = 4.0

    /// Sorts by arrival (equal ones keep their order) and moves the first to 0.
    package init(_ requests: [TraceRequest], jobs: [TraceRequest] = [], blockTokens: Int = 512) {
        self.blockTokens = max(16, blockTokens)
        self.requests = Trace.sorted(requests)
        self.jobs = Trace.sorted(jobs)
        let firsts = [self.requests.first?.arrival, self.jobs.first?.arrival]
        let start = firsts.compactMap { $0 }.min() ?? 0
        for index in self.requests.indices { self.requests[index].arrival -= start }
        for index in self.jobs.indices { self.jobs[index].arrival -= start }
    }

    private static func sorted(_ requests: [TraceRequest]) -> [TraceRequest] {
        let order = requests.indices.sorted { (requests[$0].arrival, $0) < (requests[$1].arrival, $1) }
        return order.map { requests[$0] }
    }

    /// Nanoseconds from the start to the last request's arrival.
    package var span: Int64 { requests.last?.arrival ?? 0 }

    /// The part from `start` to `end` (nanoseconds), as a trace of its own.
    package func slice(from start: Int64, to end: Int64) -> Trace {
        func isInside(_ request: TraceRequest) -> Bool { request.arrival >= start && request.arrival < end }
        var part = Trace(requests.filter(isInside), jobs: jobs.filter(isInside), blockTokens: blockTokens)
        part.bytesPerToken = bytesPerToken
        return part
    }
}
