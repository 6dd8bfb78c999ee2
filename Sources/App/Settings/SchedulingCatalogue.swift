import EndpointPicking
import FleetTracking
import FlowControl
import Scheduling

extension SchedulerSettings: DefaultedSettings {}
extension PoolSettings: DefaultedSettings {}

/// Settings of queues, picking, retries, ejection and of what async work may use. They hold for every pool.
enum SchedulingCatalogue {
    private static let share = ValueKind.decimal(0...1)
    private static let wait = ValueKind.duration(.milliseconds(1)...(.seconds(3600)))
    private static let count = ValueKind.integer(1...1_000_000)

    static let scheduler: [BoundSetting<SchedulerSettings>] = [
        BoundSetting(
            "scheduling.works", \.maximumWorks, .integer(1...10_000_000),
            "Requests and job attempts known at once, waiting and running; further ones get 429."),
        BoundSetting(
            "scheduling.decisions-kept", \.decisionsKept, .integer(0...1_000_000),
            "Recent picks that `GET /admin/requests/{id}` can explain."),
    ]

    static let pool: [BoundSetting<PoolSettings>] = queues + retries + asyncWork + fleet + ejection + prefix

    private static let queues: [BoundSetting<PoolSettings>] = [
        BoundSetting(
            "queue.realtime-entries", \.flow.realtime.entries, count,
            "Real-time requests that may wait in a pool; further ones get 429 with Retry-After."),
        BoundSetting(
            "queue.realtime-tokens", \.flow.realtime.promptTokens, .integer(1...1_000_000_000),
            "Prompt tokens that may wait in a pool's real-time queue."),
        BoundSetting("queue.async-entries", \.flow.async.entries, count, "Job attempts that may wait in a pool."),
        BoundSetting(
            "queue.async-tokens", \.flow.async.promptTokens, .integer(1...1_000_000_000),
            "Prompt tokens that may wait in a pool's async queue."),
        BoundSetting(
            "queue.lookahead", \.flow.lookahead, .integer(0...1024),
            "Jobs looked at behind one that fits nowhere now, for a smaller one of its model that does."),
        BoundSetting(
            "queue.realtime-overdue", \.flow.realtimeOverdue, wait,
            "How long a request that needs much waits before an engine is kept for it: others would pass it by."),
        BoundSetting(
            "queue.async-overdue", \.flow.asyncOverdue, wait,
            "The same for a job; only where jobs that give way make room for it."),
        BoundSetting(
            "queue.shortest-retry", \.flow.shortestRetry, wait, "The least Retry-After that is told with a 429."),
        BoundSetting(
            "queue.longest-retry", \.flow.longestRetry, wait, "The greatest Retry-After that is told with a 429."),
    ]

    private static let retries: [BoundSetting<PoolSettings>] = [
        BoundSetting(
            "retry.attempts", \.retry.attempts, .integer(1...8),
            "Attempts of one real-time request, the first included."),
        BoundSetting(
            "retry.share", \.retry.share, share,
            "Retries earned by each first attempt: bounds the load that retries add."),
        BoundSetting(
            "retry.per-second", \.retry.perSecond, .decimal(0...1000), "Retries a second that are always allowed."),
        BoundSetting("retry.burst", \.retry.burst, .decimal(0...100_000), "Retries that can be saved up."),
    ]

    private static let asyncWork: [BoundSetting<PoolSettings>] = [
        BoundSetting(
            "async.reserve", \.fleet.asyncShare.reserve, share,
            "Share of each engine's sequences, step tokens and KV that jobs leave free for real-time requests."),
        BoundSetting(
            "async.prefill-tokens", \.fleet.asyncShare.prefillTokens, .integer(1...1_000_000),
            "Job prompt tokens that may await prefill on one engine: more in one step is felt by its streams."),
        BoundSetting(
            "async.stale-trickle", \.fleet.freshness.staleTrickle, share,
            "Share of an engine's sequences that jobs may hold while its metrics are stale or missing."),
        BoundSetting(
            "async.read-ahead", \.readAhead.window, .integer(1...100_000), "Jobs of a model read ahead of need."),
        BoundSetting(
            "async.read-ahead-mark", \.readAhead.lowMark, .integer(1...100_000),
            "More of a model are read when fewer wait."),
    ]

    private static let fleet: [BoundSetting<PoolSettings>] = [
        BoundSetting(
            "engine.max-sequences", \.fleet.capacity.maximumSequences, count,
            "Sequences an engine is assumed to run at once when its endpoint names none."),
        BoundSetting(
            "engine.batch-tokens", \.fleet.capacity.batchTokens, .integer(1...10_000_000),
            "Tokens an engine is assumed to take in one step when its endpoint names none."),
        BoundSetting(
            "engine.prefill-rate", \.fleet.capacity.prefillTokensPerSecond, .decimal(1...10_000_000),
            "Prompt tokens a second that an engine is assumed to prefill until its answers teach it."),
        BoundSetting(
            "engine.stale-after", \.fleet.freshness.staleAfter, wait,
            "Metrics older than this are stale: jobs fall to a trickle, real-time goes on by own accounting."),
        BoundSetting(
            "engine.foreign-half-life", \.fleet.freshness.foreignHalfLife, wait,
            "How fast load of others, seen in stale metrics, is forgotten for real-time decisions."),
    ]

    private static let ejection: [BoundSetting<PoolSettings>] = [
        BoundSetting(
            "ejection.attempt-failures", \.fleet.ejection.attemptFailures, .integer(1...1000),
            "Failed attempts in a row that take an endpoint out of rotation (never the last one)."),
        BoundSetting(
            "ejection.probe-failures", \.fleet.ejection.probeFailures, .integer(1...1000),
            "Failed health checks in a row that take an endpoint out of rotation."),
        BoundSetting(
            "ejection.shortest", \.fleet.ejection.shortest, wait, "The first time out of rotation; it doubles."),
        BoundSetting("ejection.longest", \.fleet.ejection.longest, wait, "The longest time out of rotation."),
        BoundSetting(
            "ejection.full-pause", \.fleet.ejection.fullPause, wait,
            "How long an engine that said it is full gets nothing new."),
        BoundSetting(
            "ejection.longest-full-pause", \.fleet.ejection.longestFullPause, wait,
            "The longest such pause, also for an engine's own Retry-After."),
    ]

    private static let prefix: [BoundSetting<PoolSettings>] = [
        BoundSetting(
            "prefix.assumed-tokens", \.fleet.prefixIndex.assumedTokens, .integer(0...1_000_000_000),
            "Tokens an engine is assumed to cache until its metrics tell."),
        BoundSetting(
            "prefix.blocks", \.fleet.prefixIndex.maximumBlocks, .integer(0...10_000_000),
            "Blocks remembered for each endpoint; 65536 take about 3 MB."),
    ]
}
