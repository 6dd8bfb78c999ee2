import ControlPlane
import DataPlane
import FleetTracking
import JobDispatching
import JobLifecycle
import JobStores
import WireFormats

extension RelaySettings: DefaultedSettings {}
extension StoreSettings: DefaultedSettings {}
extension ControlPlaneSettings: DefaultedSettings {}
extension FeederSettings: DefaultedSettings {}

/// Limits of the data path. What a client is told at each is in docs/operations.md.
enum LimitsCatalogue {
    private static let wait = ValueKind.duration(.milliseconds(10)...(.seconds(86_400)))
    private static let bytes = ValueKind.size(256...(1 << 40))
    /// Of what is kept in one buffer: a `ByteBuffer` holds less than 4 GiB.
    private static let buffered = ValueKind.size(256...(1 << 31))
    private static let count = ValueKind.integer(1...10_000_000)

    static let relay: [BoundSetting<RelaySettings>] = heads + bodies + clients + engines

    private static let heads: [BoundSetting<RelaySettings>] = [
        BoundSetting("limits.url", \.http.targetBytes, buffered, "The longest request target; beyond it 414."),
        BoundSetting("limits.header-line", \.http.fieldLineBytes, buffered, "The longest header line; beyond it 431."),
        BoundSetting("limits.header-count", \.http.fieldCount, count, "Header lines of one request; beyond it 431."),
        BoundSetting(
            "limits.connection-options", \.http.connectionOptions, .integer(0...1000),
            "Other headers that `Connection` may name; beyond it 431."),
        BoundSetting("limits.head", \.http.headBytes, buffered, "The whole head of a request; beyond it 431."),
        BoundSetting(
            "limits.chunk-extension", \.http.chunkExtensionBytes, .size(0...(1 << 20)),
            "Extensions of one chunk of a chunked body; beyond it 400."),
        BoundSetting(
            "limits.trailers", \.http.trailerBytes, .size(0...(1 << 20)),
            "Trailers after a chunked body; beyond it 431."),
        BoundSetting(
            "limits.engine-head", \.engineHTTP.headBytes, buffered, "The head of an engine's answer; beyond it 502."),
        BoundSetting("limits.head-time", \.headTimeout, wait, "From the first byte of a head to its end; then 408."),
    ]

    private static let bodies: [BoundSetting<RelaySettings>] = [
        BoundSetting("limits.body", \.bodyBytes, buffered, "The largest body on an engine path; beyond it 413."),
        BoundSetting(
            "limits.buffered-bodies", \.bufferBudgetBytes, bytes,
            "All bodies held in memory. At it the gateway stops reading, and after `limits.buffer-wait` answers 503."),
        BoundSetting("limits.buffer-wait", \.bufferWait, wait, "The longest wait for room for a body; then 503."),
        BoundSetting("limits.body-silence", \.bodySilence, wait, "The longest silence inside a body; then 408."),
        BoundSetting("limits.body-time", \.bodyTimeout, wait, "From the first to the last byte of a body; then 408."),
        controlBody,
        BoundSetting(
            "limits.control-body-time", \.controlBodyTimeout, wait,
            "From the first to the last byte of a body on a control path (uploads); then 408."),
        BoundSetting(
            "limits.control-requests", \.controlRequests, count,
            "Control requests answered at once (files, batches, page); beyond it 503."),
        BoundSetting(
            "limits.control-reserve", \.controlReserve, count,
            "Further ones kept free for `/metrics`, and as many again for `/livez` and `/readyz`: uploads cannot hide them."
        ),
        // A row of the store takes no gigabyte.
        BoundSetting(
            "limits.job-answer", \.jobAnswerBytes, .size(256...(1 << 29)),
            "The largest answer to a job; half of `limits.buffered-bodies`, if that is less."),
    ]

    static let controlBody = BoundSetting(
        "limits.control-body", \RelaySettings.controlBodyBytes, bytes,
        "The largest body on a control path (uploads); beyond it 413. Where it is not written it grows with `files.size`."
    )

    private static let clients: [BoundSetting<RelaySettings>] = [
        BoundSetting(
            "limits.connections", \.connections, count, "Client connections at once; further ones get 503."),
        BoundSetting(
            "limits.connections-reserve", \.connectionsReserve, .integer(0...10_000),
            "Connections beyond that limit in which only `/livez`, `/readyz` and `/metrics` are answered."),
        BoundSetting(
            "limits.backlog", \.backlog, .integer(1...65_535), "Connections waiting in the kernel to be accepted."),
        BoundSetting(
            "limits.keep-alive", \.keepAliveIdle, wait, "The longest idle time of a kept connection; then it is closed."
        ),
        BoundSetting(
            "limits.write-stall", \.writeStall, wait,
            "The longest a client may take nothing of an answer; then it is cut."),
        BoundSetting(
            "limits.linger", \.lingerTime, wait,
            "How long a client may take to close after it has taken the last answer of its connection."),
        BoundSetting(
            "limits.write-high", \.writeHighWater, bytes,
            "Unsent bytes for a client at which reading from the engine stops."),
        BoundSetting("limits.write-low", \.writeLowWater, bytes, "Unsent bytes at which it goes on."),
        BoundSetting(
            "keys.cover-metrics", \.metricsNeedKey, .boolean,
            "With keys, `/metrics` needs one too: any tenant's. Without, it is open like the probes."),
        BoundSetting(
            "drain.timeout", \.drainTimeout, wait,
            "How long running requests may go on after SIGTERM; then they are cut."),
    ]

    private static let engines: [BoundSetting<RelaySettings>] = [
        BoundSetting(
            "limits.connect", \.connectTimeout, wait,
            "The longest wait for a connection to an engine: name, TCP and TLS; then another is tried."),
        BoundSetting(
            "limits.first-byte", \.firstByteTimeout, wait,
            "The longest wait for an answer's first output; then 504. An unstreamed answer takes its whole generation."),
        BoundSetting(
            "limits.stream-idle", \.streamIdle, wait,
            "The longest silence inside an answer after its first output; then it is cut."),
        BoundSetting(
            "limits.engine-connections", \.idleEngineConnections, count,
            "Idle connections kept to one engine by one loop."),
        BoundSetting(
            "limits.engine-idle", \.idleEngineTime, wait,
            "The longest an engine connection is kept idle; below the engine's own limit (uvicorn: 5 s)."),
        BoundSetting(
            "limits.engine-stale", \.staleEngineTime, wait,
            "A kept connection that ends this soon after a request was dead before it: a fresh one is taken."),
        BoundSetting(
            "limits.dropped-answer", \.droppedAnswerBytes, bytes,
            "The longest rest of a full engine's answer that is read to keep its connection; beyond it it is closed."),
        BoundSetting(
            "limits.first-event", \.firstEventHoldBytes, .size(0...(1 << 20)),
            "Bytes of a stream held back until its first event tells whether the engine refused it."),
        BoundSetting(
            "limits.progress-interval", \.progressInterval, wait, "How often output tokens are told to the scheduler."),
    ]

    static let control: [BoundSetting<ControlPlaneSettings>] = [
        BoundSetting("files.size", \.fileBytes, bytes, "The largest uploaded file (OpenAI: 200 MB); beyond it 413."),
        BoundSetting("files.uploads", \.uploads, count, "Uploads at once; beyond it 429."),
        BoundSetting("page.viewers", \.viewers, count, "Browsers that watch the page at once; beyond it 429."),
        BoundSetting("page.interval", \.liveInterval, wait, "Time between two pictures on the page."),
        BoundSetting(
            "batches.completion-window", \.completionWindow, .duration(.seconds(60)...(.seconds(2_592_000))),
            "The longest completion window that a batch may ask for."),
    ]

    static let store: [BoundSetting<StoreSettings>] = [
        BoundSetting(
            "batches.lines", \.linesPerBatch, .integer(1...10_000_000), "Lines of one batch (OpenAI: 50,000)."),
        BoundSetting(
            "batches.open-per-tenant", \.openBatchesPerTenant, count, "Batches of one tenant that have not ended."),
        BoundSetting("batches.faults", \.faultsPerBatch, count, "Faults told of a batch file that is no batch."),
        BoundSetting(
            "batches.lifetime", \.batchLifetime, .duration(.seconds(60)...(.seconds(315_360_000))),
            "How long ended batches stay listed."),
        BoundSetting(
            "files.input-lifetime", \.inputLifetime, .duration(.seconds(60)...(.seconds(315_360_000))),
            "How long batch inputs live when the client names no time."),
        BoundSetting(
            "files.output-lifetime", \.outputLifetime, .duration(.seconds(60)...(.seconds(315_360_000))),
            "How long output and error files live when the batch names no time."),
        BoundSetting("store.waiting", \.waitingOperations, count, "Operations that may wait for the store's writer."),
        BoundSetting("store.commit", \.operationsPerCommit, count, "Operations in one transaction."),
    ]

    static let feeder: [BoundSetting<FeederSettings>] = [
        BoundSetting(
            "jobs.held-bytes", \.heldBytes, bytes,
            "Bodies and answers of running jobs in memory; at it no more are started. Half of it is divided between the models with jobs; the first job of each may go beyond, all together to twice the limit."
        ),
        BoundSetting(
            "jobs.placement-wait", \.placementWait, wait,
            "How long a job waits for room before it is put back for later."),
        BoundSetting(
            "jobs.model-grace", \.modelGrace, wait,
            "How long a new batch waits for engines that have not listed their models, when it names an unknown one."),
        BoundSetting(
            "jobs.drain-time", \.drainTime, wait,
            "How long running jobs may go on after SIGTERM; then they are released."),
        BoundSetting(
            "jobs.attempts", \.retries.maximumAttempts, .integer(1...100),
            "Attempts of one job; a refusal because the pool is full is not one."),
        BoundSetting("jobs.backoff-base", \.retries.backoffBase, wait, "The first wait before a job is tried again."),
        BoundSetting("jobs.backoff-cap", \.retries.backoffCap, wait, "The longest wait before a job is tried again."),
        BoundSetting("jobs.line", \.lineBytes, buffered, "The longest line of a batch input file."),
        BoundSetting("jobs.sweep-interval", \.sweepInterval, wait, "How often expired files are looked for."),
        BoundSetting("jobs.probe-interval", \.probeInterval, wait, "How often an unwell store is tried again."),
    ]

    static let descriptors =
        relay.map(\.descriptor) + control.map(\.descriptor) + store.map(\.descriptor) + feeder.map(\.descriptor)
}
