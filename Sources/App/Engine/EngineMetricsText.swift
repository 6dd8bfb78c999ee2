import EngineModel
import NIOCore

/// `/metrics` in Prometheus text format, with vLLM's names, labels and buckets.
struct EngineMetricsText {
    private(set) var buffer = ByteBuffer()
    private let labels: String
    private let model: String

    init(model: String) {
        self.model = String(
            model.flatMap { character -> String in
                switch character {
                case "\\": "\\\\"
                case "\"": "\\\""
                case "\n": "\\n"
                default: String(character)
                }
            })
        labels = "engine=\"0\",model_name=\"\(self.model)\""
    }

    /// Gauges, with the lies of the fault plan where it has some.
    mutating func writeGauges(_ gauges: EngineGauges, faults: FaultPlan) {
        let running = faults.metricsRunning ?? gauges.running
        let waiting = faults.metricsWaiting ?? gauges.waiting
        let use = faults.metricsKVUse ?? gauges.kvUse
        gauge("vllm:num_requests_running", "Number of requests in model execution batches.", Double(running))
        gauge("vllm:num_requests_waiting", "Number of requests waiting to be processed.", Double(waiting))
        header("vllm:num_requests_waiting_by_reason", "gauge", "Number of waiting requests by reason.")
        for (reason, value) in [("capacity", waiting), ("deferred", 0)] {
            buffer.writeString("vllm:num_requests_waiting_by_reason{\(labels),reason=\"\(reason)\"} \(Double(value))\n")
        }
        gauge("vllm:kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", use)
        header("vllm:engine_sleep_state", "gauge", "Engine sleep state.")
        for (state, value) in [("awake", 1.0), ("weights_offloaded", 0), ("discard_all", 0)] {
            buffer.writeString("vllm:engine_sleep_state{\(labels),sleep_state=\"\(state)\"} \(value)\n")
        }
    }

    mutating func writeConfiguration(_ settings: EngineSettings) {
        header("vllm:cache_config_info", "gauge", "Information of the LLMEngine CacheConfig")
        buffer.writeString(
            "vllm:cache_config_info{block_size=\"\(settings.blockSize)\",cache_dtype=\"auto\",enable_prefix_caching=\"True\",engine=\"0\",gpu_memory_utilization=\"0.92\",kv_cache_size_tokens=\"\(settings.blocks * settings.blockSize)\",num_cpu_blocks=\"None\",num_gpu_blocks=\"\(settings.blocks)\"} 1.0\n"
        )
    }

    mutating func writeCounters(_ counters: EngineCounters) {
        counter("vllm:prompt_tokens", "Number of prefill tokens processed.", counters.promptTokens)
        counter("vllm:generation_tokens", "Number of generation tokens processed.", counters.generatedTokens)
        counter(
            "vllm:prefix_cache_queries", "Prefix cache queries, in terms of number of queried tokens.",
            counters.prefixQueries)
        counter(
            "vllm:prefix_cache_hits", "Prefix cache hits, in terms of number of cached tokens.", counters.prefixHits)
        counter("vllm:num_preemptions", "Cumulative number of preemption from the engine.", counters.preempted)
        header("vllm:admission_rejections_total", "counter", "Number of requests rejected at admission.")
        for (reason, value) in [
            ("max_num_queued_reqs", counters.refusedSequences), ("max_num_queued_tokens", counters.refusedTokens),
        ] {
            buffer.writeString("vllm:admission_rejections_total{\(labels),reason=\"\(reason)\"} \(Double(value))\n")
        }
    }

    mutating func writeStatistics(_ statistics: EngineStatistics) {
        header("vllm:request_success_total", "counter", "Count of successfully processed requests.")
        for (reason, value) in [
            ("stop", statistics.finishedStop), ("length", statistics.finishedLength),
            ("abort", statistics.finishedAbort), ("error", 0),
        ] {
            buffer.writeString(
                "vllm:request_success_total{\(labels),finished_reason=\"\(reason)\"} \(Double(value))\n")
        }
        histogram(
            "vllm:iteration_tokens_total", "Histogram of number of tokens per engine_step.", statistics.iterationTokens)
        histogram(
            "vllm:time_to_first_token_seconds", "Histogram of time to first token in seconds.",
            statistics.timeToFirstToken)
        histogram(
            "vllm:inter_token_latency_seconds", "Histogram of inter-token latency in seconds.",
            statistics.interTokenLatency)
        histogram(
            "vllm:request_time_per_output_token_seconds", "Histogram of time_per_output_token_seconds per request.",
            statistics.timePerOutputToken)
        histogram(
            "vllm:e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", statistics.endToEnd)
        histogram(
            "vllm:request_queue_time_seconds", "Histogram of time spent in WAITING phase for request.",
            statistics.queueTime)
        histogram(
            "vllm:request_prefill_time_seconds", "Histogram of time spent in PREFILL phase for request.",
            statistics.prefillTime)
        histogram(
            "vllm:request_decode_time_seconds", "Histogram of time spent in DECODE phase for request.",
            statistics.decodeTime)
        histogram("vllm:request_prompt_tokens", "Number of prefill tokens processed.", statistics.promptTokens)
        histogram(
            "vllm:request_generation_tokens", "Number of generation tokens processed.", statistics.generationTokens)
    }

    /// The adapters that run and wait. The value is a time, of which readers take the greatest.
    mutating func writeAdapters(_ adapters: [String], running: [String], time: Int) {
        guard !adapters.isEmpty else { return }
        header("vllm:lora_requests_info", "gauge", "Running stats on lora requests.")
        buffer.writeString(
            "vllm:lora_requests_info{max_lora=\"\(adapters.count)\",running_lora_adapters=\"\(running.joined(separator: ","))\",waiting_lora_adapters=\"\"} \(Double(time))\n"
        )
    }

    private mutating func header(_ name: String, _ type: String, _ help: String) {
        buffer.writeString("# HELP \(name) \(help)\n# TYPE \(name) \(type)\n")
    }

    private mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        header(name, "gauge", help)
        buffer.writeString("\(name){\(labels)} \(value)\n")
    }

    private mutating func counter(_ name: String, _ help: String, _ value: Int) {
        header(name + "_total", "counter", help)
        buffer.writeString("\(name)_total{\(labels)} \(Double(value))\n")
    }

    private mutating func histogram(_ name: String, _ help: String, _ histogram: EngineStatistics.Histogram) {
        header(name, "histogram", help)
        var total = 0
        for (bound, count) in zip(histogram.bounds, histogram.buckets) {
            total += count
            buffer.writeString("\(name)_bucket{\(labels),le=\"\(bound)\"} \(Double(total))\n")
        }
        buffer.writeString("\(name)_bucket{\(labels),le=\"+Inf\"} \(Double(histogram.count))\n")
        buffer.writeString(
            "\(name)_count{\(labels)} \(Double(histogram.count))\n\(name)_sum{\(labels)} \(histogram.sum)\n")
    }
}
