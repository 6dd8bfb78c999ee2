/// Reads the signals of a model server from its metrics page: vLLM (present and older names), SGLang, llama.cpp.
///
/// The family is told by the names' prefix; a page with none of them gives `.unknown` and no signals. With several
/// data-parallel ranks in one server there is one series per rank: counts are summed, KV use is the greatest. Values
/// that cannot be true (negative, NaN, a share over 1, huge) make their signal nil.
package enum EngineMetrics {
    /// Limits of what is believed.
    package struct Limits: Sendable, Equatable {
        /// Sequences running or waiting.
        package var maximumSequences: Double
        package var maximumBlockSize: Double
        package var maximumBlocks: Double
        /// Counters past this have lost whole numbers.
        package var maximumCounter: Double

        package init() {
            maximumSequences = 10_000_000
            maximumBlockSize = 1_048_576
            maximumBlocks = 1e10
            maximumCounter = 0x1p53
        }
    }

    /// Reads a page. `family` nil: the family with the most known series on the page.
    package static func read(
        _ page: UnsafeRawBufferPointer, family: EngineFamily? = nil, limits: Limits = Limits(),
        pageLimits: PrometheusText.Limits = PrometheusText.Limits()
    ) -> EngineSignals {
        var vllm = EngineTally(limits)
        var sglang = EngineTally(limits)
        var llama = EngineTally(limits)
        let wanted =
            switch family {
            case .vllm: vllmNames
            case .sglang: sglangNames
            case .llamacpp: llamaNames
            default: vllmNames + sglangNames + llamaNames
            }
        PrometheusText.forEachSample(in: page, prefixes: wanted, limits: pageLimits) { sample in
            if ByteSearch.hasPrefix(page, sample.nameRange, "vllm:") {
                takeVLLM(sample, &vllm)
            } else if ByteSearch.hasPrefix(page, sample.nameRange, "sglang:") {
                takeSGLang(sample, &sglang)
            } else {
                takeLlama(sample, &llama)
            }
        }
        let best = [(EngineFamily.vllm, vllm), (.sglang, sglang), (.llamacpp, llama)].max {
            $0.1.samples < $1.1.samples
        }
        guard let (kind, tally) = best, tally.samples > 0 else { return EngineSignals() }
        return tally.signals(kind)
    }

    /// Beginnings of the names that matter: pages hold thousands of histogram lines that are not worth parsing.
    private static let vllmNames: [StaticString] = [
        "vllm:num_requests_", "vllm:num_preemptions", "vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc",
        "vllm:prefix_cache_", "vllm:gpu_prefix_cache_", "vllm:cache_config_info",
    ]
    private static let sglangNames: [StaticString] = [
        "sglang:num_running_reqs", "sglang:num_queue_reqs", "sglang:token_usage", "sglang:prompt_tokens_total",
        "sglang:cached_tokens_total", "sglang:cache_config_info", "sglang:num_retracted_requests_total",
    ]
    private static let llamaNames: [StaticString] = [
        "llamacpp:requests_", "llamacpp:kv_cache_usage_ratio", "llamacpp:prompt_tokens_total",
    ]

    private static func takeVLLM(_ sample: PrometheusSample, _ tally: inout EngineTally) {
        tally.samples += 1
        if sample.isNamed("vllm:num_requests_running") {
            tally.running.add(sample)
        } else if sample.isNamed("vllm:num_requests_waiting") {
            tally.waiting.add(sample)
        } else if sample.isNamed("vllm:num_requests_waiting_by_reason") {
            tally.waitingByReason.add(sample)
        } else if sample.isNamed("vllm:kv_cache_usage_perc") {
            tally.kvUse.add(sample)
        } else if sample.isNamed("vllm:gpu_cache_usage_perc") {
            tally.olderKVUse.add(sample)
        } else if sample.isNamed("vllm:prefix_cache_queries_total") {
            tally.queries.add(sample)
        } else if sample.isNamed("vllm:prefix_cache_hits_total") {
            tally.hits.add(sample)
        } else if sample.isNamed("vllm:gpu_prefix_cache_queries_total") {
            tally.olderQueries.add(sample)
        } else if sample.isNamed("vllm:gpu_prefix_cache_hits_total") {
            tally.olderHits.add(sample)
        } else if sample.isNamed("vllm:num_preemptions_total") || sample.isNamed("vllm:num_preemptions") {
            tally.preemptions.add(sample)
        } else if sample.isNamed("vllm:cache_config_info") {
            tally.takeCache(sample, size: "block_size", blocks: "num_gpu_blocks", tokens: "kv_cache_size_tokens")
        }
    }

    /// SGLang writes the series of every scheduler, and with priorities one more per priority beside the whole; all of
    /// one data-parallel rank tell of the same queue.
    private static func takeSGLang(_ sample: PrometheusSample, _ tally: inout EngineTally) {
        tally.samples += 1
        if sample.isNamed("sglang:num_running_reqs") {
            tally.running.add(sample, rank: sample.label("dp_rank") ?? "")
        } else if sample.isNamed("sglang:num_queue_reqs") {
            tally.waiting.add(sample, rank: sample.label("dp_rank") ?? "")
        } else if sample.isNamed("sglang:token_usage") {
            tally.kvUse.add(sample)
        } else if sample.isNamed("sglang:prompt_tokens_total") {
            tally.queries.add(sample)
        } else if sample.isNamed("sglang:cached_tokens_total") {
            tally.hits.add(sample)
        } else if sample.isNamed("sglang:num_retracted_requests_total") {
            // The older `num_retracted_reqs` is a gauge of the last interval: no counter.
            tally.preemptions.add(sample)
        } else if sample.isNamed("sglang:cache_config_info") {
            tally.takeCache(sample, size: "page_size", blocks: "num_pages", tokens: nil)
        }
    }

    private static func takeLlama(_ sample: PrometheusSample, _ tally: inout EngineTally) {
        tally.samples += 1
        if sample.isNamed("llamacpp:requests_processing") {
            tally.running.add(sample)
        } else if sample.isNamed("llamacpp:requests_deferred") {
            tally.waiting.add(sample)
        } else if sample.isNamed("llamacpp:kv_cache_usage_ratio") {
            tally.kvUse.add(sample)
        }
    }
}
