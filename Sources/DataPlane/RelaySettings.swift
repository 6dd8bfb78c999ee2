package import WireFormats

/// Every limit of the data path, with its default. What happens at a limit is in `StatusTable`.
package struct RelaySettings: Sendable {
    /// Heads that clients send.
    package var http = HTTPLimits()
    /// Heads that engines send.
    package var engineHTTP = HTTPLimits(headBytes: 65_536)
    /// Client connections open at once in the process; beyond it new ones get 503, or are closed at once.
    package var connections = 16_384
    /// Further ones, for one request each: only health checks and metrics are answered there.
    package var connectionsReserve = 32
    /// Waiting connections in the kernel's accept queue.
    package var backlog = 4096
    /// The largest request body on engine paths, bytes. Beyond: 413.
    package var bodyBytes = 32 << 20
    /// All request bodies held in memory, bytes. At it reading stops; after `bufferWait`: 503.
    package var bufferBudgetBytes = 1 << 30
    /// The longest a request may wait for room in the buffer budget.
    package var bufferWait = Duration.seconds(5)
    /// From the first byte of a head to its end. Beyond: 408.
    package var headTimeout = Duration.seconds(15)
    /// The longest silence inside a request body. Beyond: 408.
    package var bodySilence = Duration.seconds(30)
    /// From the first to the last byte of a request body. Beyond: 408.
    package var bodyTimeout = Duration.seconds(300)
    /// The longest a kept connection may be idle between requests. Then it is closed.
    package var keepAliveIdle = Duration.seconds(75)
    /// The longest a client may take nothing of an answer that waits for it. Then the connection is closed.
    package var writeStall = Duration.seconds(60)
    /// The longest wait for a client to close, after it has taken the last byte of an answer that ends its connection.
    package var lingerTime = Duration.seconds(2)
    /// Bytes written but not yet taken by a client at which reading from the engine stops.
    package var writeHighWater = 64 << 10
    /// Bytes left at which it goes on.
    package var writeLowWater = 16 << 10
    /// The longest wait for a connection to an engine: its name, TCP and TLS. Beyond: another endpoint, or 502.
    package var connectTimeout = Duration.seconds(3)
    /// The longest wait for the first response byte: an unstreamed answer takes its whole generation. Beyond: 504. Of a
    /// stream whose head came at once also the longest silence before its first output; then it is cut.
    package var firstByteTimeout = Duration.seconds(600)
    /// The longest silence inside a response body, of a stream after its first output. Then the connection to the
    /// client is cut.
    package var streamIdle = Duration.seconds(120)
    /// Idle connections kept to one engine by one event loop.
    package var idleEngineConnections = 512
    /// The longest an engine connection is kept idle: shorter than uvicorn's 5 s, so that it rarely closes first.
    package var idleEngineTime = Duration.seconds(4)
    /// A kept connection that ends within this time of a request had been closed by the engine before: the request is
    /// sent again, once, on a fresh one. Later it counts as the engine's failure.
    package var staleEngineTime = Duration.seconds(1)
    /// The longest rest of a refused answer that is read so that its connection can be kept. Beyond: it is closed.
    package var droppedAnswerBytes = 64 << 10
    /// Body bytes held back until a stream's first event is known. Beyond it the answer is passed on as it is.
    package var firstEventHoldBytes = 16 << 10
    /// The largest answer to a job, bytes. Beyond: `engine_protocol`.
    package var jobAnswerBytes = 64 << 20
    /// How often output tokens are told to the scheduler.
    package var progressInterval = Duration.milliseconds(50)
    /// Control requests being answered at once. Beyond: 503.
    package var controlRequests = 256
    /// Further ones kept free for `/metrics`, and as many again for `/livez` and `/readyz`. Beyond: 503.
    package var controlReserve = 16
    /// The largest body on a control path, bytes (uploads). Beyond: 413.
    package var controlBodyBytes = 512 << 20
    /// From the first to the last byte of a body on a control path: 512 MiB at 150 KB/s. Beyond: 408.
    package var controlBodyTimeout = Duration.seconds(3600)
    /// With keys, `/metrics` needs one too. Without it: 401.
    package var metricsNeedKey = false
    /// How long a drain waits for running requests before it cuts them.
    package var drainTimeout = Duration.seconds(600)

    package init() {}
}
