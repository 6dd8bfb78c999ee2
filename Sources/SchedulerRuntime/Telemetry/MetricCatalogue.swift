/// Every metric that the gateway exports: names, meaning, labels, buckets. The one place where a metric is defined.
///
/// Names follow the Prometheus rules: base units, `_total` for counters only. Labels that outsiders can choose
/// (model, tenant) are bounded by `LabelLimit`.
package enum MetricCatalogue {
    package static let requests = MetricDefinition(
        "neap_requests_total", .counter, ["pool", "model", "band", "outcome", "status"],
        help: "Requests and job attempts that ended, by outcome and the status that the client saw (0: none).")
    package static let refusals = MetricDefinition(
        "neap_refusals_total", .counter, ["reason", "status"],
        help: "Requests that the gateway refused itself, by the code of its error and the status that was told.")
    package static let timeToFirstToken = MetricDefinition(
        "neap_request_time_to_first_token_seconds", .histogram(firstTokenBounds), ["pool", "model", "band"],
        help: "From arrival to the first output of a stream or the first byte of another answer, queueing included.")
    package static let interTokenLatency = MetricDefinition(
        "neap_inter_token_latency_seconds", .histogram(TokenGapShard.bounds.map { Double($0) / 1e9 }), ["band"],
        help: "Time between two pieces of output of a stream; pieces that came together count once.")
    package static let timePerOutputToken = MetricDefinition(
        "neap_request_time_per_output_token_seconds", .histogram(perTokenBounds), ["pool", "model", "band"],
        help: "Mean time per output token after the first, of streamed answers.")
    package static let duration = MetricDefinition(
        "neap_request_duration_seconds", .histogram(durationBounds), ["pool", "model", "band"],
        help: "From arrival to the end of the answer.")
    package static let promptTokens = MetricDefinition(
        "neap_prompt_tokens_total", .counter, ["pool", "model", "band"],
        help: "Prompt tokens of ended requests, as engines told them.")
    package static let cachedTokens = MetricDefinition(
        "neap_cached_prompt_tokens_total", .counter, ["pool", "model", "band"],
        help: "Prompt tokens that engines found in their prefix cache.")
    package static let outputTokens = MetricDefinition(
        "neap_output_tokens_total", .counter, ["pool", "model", "band"],
        help: "Output tokens of ended requests, as engines told them.")
    package static let receivedBytes = MetricDefinition(
        "neap_request_body_bytes_total", .counter, ["pool", "model", "band"], help: "Bytes of request bodies.")
    package static let sentBytes = MetricDefinition(
        "neap_response_body_bytes_total", .counter, ["pool", "model", "band"], help: "Bytes of answer bodies.")
    package static let tenantRequests = MetricDefinition(
        "neap_tenant_requests_total", .counter, ["tenant", "band"], help: "Requests and job attempts that ended.")
    package static let tenantPromptTokens = MetricDefinition(
        "neap_tenant_prompt_tokens_total", .counter, ["tenant", "band"], help: "Prompt tokens of ended requests.")
    package static let tenantOutputTokens = MetricDefinition(
        "neap_tenant_output_tokens_total", .counter, ["tenant", "band"], help: "Output tokens of ended requests.")

    package static let queueWait = MetricDefinition(
        "neap_queue_wait_seconds", .histogram(queueBounds), ["pool", "band"],
        help: "From arrival to the first dispatch to an endpoint.")
    package static let retries = MetricDefinition(
        "neap_attempts_retried_total", .counter, ["pool", "reason"],
        help: "Attempts that failed and went to another endpoint.")
    package static let retryBudgetSpent = MetricDefinition(
        "neap_retry_budget_spent_total", .counter, ["pool"],
        help: "Retries that were due and not made because the retry budget was spent.")
    package static let ejections = MetricDefinition(
        "neap_endpoint_ejections_total", .counter, ["pool", "endpoint"], help: "Times an endpoint left rotation.")
    package static let restorations = MetricDefinition(
        "neap_endpoint_restorations_total", .counter, ["pool", "endpoint"],
        help: "Times an endpoint came back into rotation.")
    package static let prefixPromptTokens = MetricDefinition(
        "neap_prefix_prompt_tokens_total", .counter, ["pool"],
        help: "Estimated prompt tokens of placed requests, for the expected prefix hit rate.")
    package static let prefixMatchedTokens = MetricDefinition(
        "neap_prefix_matched_tokens_total", .counter, ["pool"],
        help: "Estimated prompt tokens that the chosen endpoint was expected to hold in its prefix cache.")
    package static let predictions = MetricDefinition(
        "neap_first_token_predictions_total", .counter, ["pool"],
        help: "First tokens of streams whose time was predicted when they were sent.")
    package static let predictionErrors = MetricDefinition(
        "neap_first_token_prediction_error_ratio_total", .counter, ["pool"],
        help: "Sum of the relative errors of these predictions, each at most 2; by their number: the mean error.")
    package static let lockHold = MetricDefinition(
        "neap_scheduler_lock_hold_seconds", .histogram(HoldTimes.bounds.map { Double($0) / 1e9 }),
        help: "How long one decision held the scheduler's lock.")

    package static let inFlight = MetricDefinition(
        "neap_in_flight_requests", .gauge, ["pool", "band"], help: "Work at the endpoints now.")
    package static let queueDepth = MetricDefinition(
        "neap_queue_depth", .gauge, ["pool", "band"], help: "Work that waits for room now.")
    package static let saturation = MetricDefinition(
        "neap_pool_saturation_ratio", .gauge, ["pool"],
        help: "How full the pool is, by own accounting corrected by samples; 1 and above: full.")

    package static let backlog = MetricDefinition(
        "neap_async_backlog_jobs", .gauge, ["pool"], help: "Jobs that the store could bring now.")
    package static let heldJobBytes = MetricDefinition(
        "neap_jobs_held_bytes", .gauge, help: "Bytes of running jobs in memory now; bounded by jobs.held-bytes.")
    package static let asyncPaused = MetricDefinition(
        "neap_async_paused", .gauge, help: "1 while no jobs are granted: draining, or the store is unwell.")
    package static let works = MetricDefinition(
        "neap_scheduler_works", .gauge, help: "Requests and job attempts that the scheduler knows now.")
    package static let ignoredEvents = MetricDefinition(
        "neap_scheduler_ignored_events_total", .counter,
        help: "Events that named an unknown work, endpoint or pool; a growing number is a defect.")

    package static let endpointState = MetricDefinition(
        "neap_endpoint_state", .gauge, ["pool", "endpoint", "state"],
        help: "1 for the state that the endpoint is in: healthy, returning, ejected, draining.")
    package static let endpointInFlight = MetricDefinition(
        "neap_endpoint_in_flight_requests", .gauge, ["pool", "endpoint"], help: "Own work at the endpoint now.")
    package static let endpointForeign = MetricDefinition(
        "neap_endpoint_foreign_requests", .gauge, ["pool", "endpoint"],
        help: "Sequences of others at the engine: what it told, less our own work at that time.")
    package static let endpointLimit = MetricDefinition(
        "neap_endpoint_sequence_limit", .gauge, ["pool", "endpoint"],
        help: "Sequences that the engine is believed to run at once.")
    package static let endpointStale = MetricDefinition(
        "neap_endpoint_sample_stale", .gauge, ["pool", "endpoint"],
        help: "1 when the engine's metrics are missing or too old to be believed.")
    package static let endpointRunning = MetricDefinition(
        "neap_endpoint_engine_running_requests", .gauge, ["pool", "endpoint"],
        help: "Sequences in the engine's running batch, as it last told.")
    package static let endpointWaiting = MetricDefinition(
        "neap_endpoint_engine_waiting_requests", .gauge, ["pool", "endpoint"],
        help: "Sequences in the engine's own queue, as it last told.")
    package static let endpointCacheUse = MetricDefinition(
        "neap_endpoint_engine_kv_use_ratio", .gauge, ["pool", "endpoint"],
        help: "Share of the engine's KV blocks in use, as it last told.")
    package static let endpointSampleAge = MetricDefinition(
        "neap_endpoint_sample_age_seconds", .gauge, ["pool", "endpoint"], help: "Age of the last good scrape.")
    package static let scrapes = MetricDefinition(
        "neap_endpoint_scrapes_total", .counter, ["pool", "endpoint", "result"],
        help: "Scrapes of the engine's metrics: ok, failed, or absent (the engine has no metrics).")
    package static let healthChecks = MetricDefinition(
        "neap_endpoint_health_checks_total", .counter, ["pool", "endpoint", "result"],
        help: "Health checks: healthy or unhealthy.")

    package static let connections = MetricDefinition(
        "neap_client_connections", .gauge, help: "Client connections open now.")
    package static let refusedConnections = MetricDefinition(
        "neap_client_connections_refused_total", .counter,
        help: "Client connections answered with 503, or closed without words, because the limit was reached.")
    package static let stalledConnections = MetricDefinition(
        "neap_client_connections_stalled_total", .counter,
        help: "Client connections cut because the client took nothing of what was written.")
    package static let bufferedBytes = MetricDefinition(
        "neap_buffered_body_bytes", .gauge, help: "Bytes of requests and of jobs' growing answers held in memory now.")
    package static let bufferLimit = MetricDefinition(
        "neap_buffered_body_limit_bytes", .gauge, help: "The most of them that may be held.")
    package static let bufferWaits = MetricDefinition(
        "neap_buffered_body_waits_total", .counter, help: "Request bodies that had to wait for room.")

    package static let uploads = MetricDefinition("neap_uploads", .gauge, help: "File uploads under way.")
    package static let refusedUploads = MetricDefinition(
        "neap_uploads_refused_total", .counter, help: "File uploads refused because too many were under way.")
    package static let viewers = MetricDefinition("neap_live_viewers", .gauge, help: "Pages that follow live figures.")
    package static let refusedViewers = MetricDefinition(
        "neap_live_viewers_refused_total", .counter,
        help: "Pages that were refused live figures because too many follow them.")
    package static let keyFileFailures = MetricDefinition(
        "neap_key_file_failures_total", .counter, help: "Changed key files that could not be used; the old keys stayed."
    )

    package static let droppedLogLines = MetricDefinition(
        "neap_log_dropped_lines_total", .counter, ["log"],
        help: "Lines of the access or trace log that were dropped because the disk did not keep up.")
    package static let storeHealthy = MetricDefinition(
        "neap_store_healthy", .gauge, help: "1 when async routes can write to their store.")
    package static let ready = MetricDefinition("neap_ready", .gauge, help: "1 when /readyz answers 200.")
    package static let reloads = MetricDefinition(
        "neap_config_reloads_total", .counter, ["result"], help: "Reloads of the configuration: success or failure.")
    package static let buildInfo = MetricDefinition(
        "neap_build_info", .gauge, ["version"], help: "Always 1; the label tells the version that runs.")

    package static let processCPU = MetricDefinition(
        "process_cpu_seconds_total", .counter, help: "User and system CPU time spent.")
    package static let processResident = MetricDefinition(
        "process_resident_memory_bytes", .gauge, help: "Resident memory.")
    package static let processVirtual = MetricDefinition(
        "process_virtual_memory_bytes", .gauge, help: "Virtual memory.")
    package static let processFiles = MetricDefinition(
        "process_open_fds", .gauge, help: "Open file descriptors.")
    package static let processFileLimit = MetricDefinition(
        "process_max_fds", .gauge, help: "The most file descriptors that may be open.")
    package static let processStart = MetricDefinition(
        "process_start_time_seconds", .gauge, help: "Start of the process since 1970.")

    static let firstTokenBounds: [Double] = [
        0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160,
    ]
    static let perTokenBounds: [Double] = [
        0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2.5,
    ]
    static let durationBounds: [Double] = [
        0.01, 0.05, 0.1, 0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 60, 120, 240, 480, 960, 1920,
    ]
    static let queueBounds: [Double] = [
        0.0001, 0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
}
