import Testing
import WireFormats

@Suite struct MetricsTests {
    func signals(_ page: String, _ family: EngineFamily? = nil) -> EngineSignals {
        withBytes(page) { EngineMetrics.read($0, family: family) }
    }

    static let vllm = """
        # HELP vllm:num_requests_running Number of requests in model execution batches.
        # TYPE vllm:num_requests_running gauge
        vllm:num_requests_running{engine="0",model_name="m"} 3.0
        vllm:num_requests_running{engine="1",model_name="m"} 4.0
        vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
        vllm:num_requests_waiting{engine="1",model_name="m"} 0.0
        vllm:num_requests_waiting_by_reason{engine="0",reason="capacity"} 1.0
        vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
        vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.5
        vllm:gpu_cache_usage_perc{engine="1",model_name="m"} 0.9
        vllm:prefix_cache_queries_total{engine="0"} 1000.0
        vllm:prefix_cache_queries_created{engine="0"} 1.7e+09
        vllm:prefix_cache_hits_total{engine="0"} 2.5e+02
        vllm:num_preemptions_total{engine="0"} 7
        vllm:cache_config_info{block_size="16",cache_dtype="auto",engine="0",num_gpu_blocks="1000",num_gpu_blocks_override="None"} 1.0
        vllm:cache_config_info{block_size="16",engine="1",kv_cache_size_tokens="8000",num_gpu_blocks="1000"} 1.0
        vllm:time_to_first_token_seconds_bucket{le="0.001"} 5

        """

    @Test func readsVLLM() {
        let signals = signals(Self.vllm)
        #expect(signals.kind == .vllm)
        #expect(signals.running == 7 && signals.waiting == 1)
        #expect(signals.kvUse == 0.5)
        #expect(signals.blockSize == 16 && signals.blocks == 1_500)
        #expect(signals.prefixQueries == 1_000 && signals.prefixHits == 250 && signals.preemptions == 7)
    }

    @Test func readsOlderVLLM() {
        let signals = signals(
            """
            vllm:num_requests_running 2
            vllm:num_requests_waiting_by_reason{reason="capacity"} 1
            vllm:num_requests_waiting_by_reason{reason="deferred"} 2
            vllm:gpu_cache_usage_perc 0.125
            vllm:gpu_prefix_cache_queries_total 10
            vllm:gpu_prefix_cache_hits_total 5
            vllm:cache_config_info{block_size="None",num_gpu_blocks="None"} 1
            """)
        #expect(signals.running == 2 && signals.waiting == 3 && signals.kvUse == 0.125)
        #expect(signals.prefixQueries == 10 && signals.prefixHits == 5)
        #expect(signals.blockSize == nil && signals.blocks == nil && signals.preemptions == nil)
    }

    @Test func readsSGLangOncePerRank() {
        let signals = signals(
            """
            sglang:num_running_reqs{dp_rank="0",tp_rank="0",priority=""} 5
            sglang:num_running_reqs{dp_rank="0",tp_rank="1",priority=""} 5
            sglang:num_running_reqs{dp_rank="0",tp_rank="0",priority="1"} 2
            sglang:num_running_reqs{dp_rank="1",tp_rank="0",priority=""} 6
            sglang:num_queue_reqs{model_name="m"} 4
            sglang:token_usage{model_name="m"} 0.37
            sglang:prompt_tokens_total{model_name="m"} 5000
            sglang:cached_tokens_total{cache_source="device"} 100
            sglang:cached_tokens_total{cache_source="host"} 20
            sglang:cache_config_info{page_size="1",num_pages="12345"} 1
            sglang:num_retracted_requests_total{model_name="m"} 9
            sglang:num_retracted_reqs{model_name="m"} 2
            """)
        #expect(signals.kind == .sglang)
        #expect(signals.running == 11 && signals.waiting == 4 && signals.kvUse == 0.37)
        #expect(signals.prefixQueries == 5_000 && signals.prefixHits == 120)
        #expect(signals.blockSize == 1 && signals.blocks == 12_345 && signals.preemptions == 9)
    }

    @Test func readsLlama() {
        let signals = signals("llamacpp:requests_processing 1\nllamacpp:requests_deferred 2\r\nllamacpp:n_busy 3")
        #expect(signals.kind == .llamacpp)
        #expect(signals.running == 1 && signals.waiting == 2 && signals.kvUse == nil)
    }

    /// Every name of a family alone tells the family, and its signal and no other.
    @Test func eachNameAloneTellsItsFamilyAndItsSignal() {
        let cases: [(line: String, kind: EngineFamily, told: String)] = [
            ("vllm:num_requests_running{engine=\"0\"} 5", .vllm, "running"),
            ("vllm:num_requests_waiting{engine=\"0\"} 5", .vllm, "waiting"),
            ("vllm:num_requests_waiting_by_reason{reason=\"capacity\"} 5", .vllm, "waiting"),
            ("vllm:kv_cache_usage_perc 0.5", .vllm, "kvUse"), ("vllm:gpu_cache_usage_perc 0.5", .vllm, "kvUse"),
            ("vllm:prefix_cache_queries_total 5", .vllm, "queries"), ("vllm:prefix_cache_hits_total 5", .vllm, "hits"),
            ("vllm:gpu_prefix_cache_queries_total 5", .vllm, "queries"),
            ("vllm:gpu_prefix_cache_hits_total 5", .vllm, "hits"),
            ("vllm:num_preemptions_total 5", .vllm, "preemptions"), ("vllm:num_preemptions 5", .vllm, "preemptions"),
            ("vllm:cache_config_info{block_size=\"16\"} 1", .vllm, "blockSize"),
            ("sglang:num_running_reqs 5", .sglang, "running"), ("sglang:num_queue_reqs 5", .sglang, "waiting"),
            ("sglang:token_usage 0.5", .sglang, "kvUse"), ("sglang:prompt_tokens_total 5", .sglang, "queries"),
            ("sglang:cached_tokens_total{cache_source=\"device\"} 5", .sglang, "hits"),
            ("sglang:cache_config_info{page_size=\"16\"} 1", .sglang, "blockSize"),
            ("llamacpp:requests_processing 5", .llamacpp, "running"),
            ("llamacpp:requests_deferred 5", .llamacpp, "waiting"),
            ("llamacpp:kv_cache_usage_ratio 0.5", .llamacpp, "kvUse"),
            ("llamacpp:prompt_tokens_total 5", .llamacpp, ""),
        ]
        for (line, kind, told) in cases {
            let signals = signals("go_threads 3\n\(line)\nprocess_cpu_seconds_total 1\n")
            #expect(signals.kind == kind, "\(line)")
            let values: [(String, Double?)] = [
                ("running", signals.running.map(Double.init)), ("waiting", signals.waiting.map(Double.init)),
                ("kvUse", signals.kvUse), ("blockSize", signals.blockSize.map(Double.init)),
                ("blocks", signals.blocks.map(Double.init)), ("queries", signals.prefixQueries),
                ("hits", signals.prefixHits), ("preemptions", signals.preemptions),
            ]
            for (name, value) in values {
                let expected: Double? = name != told ? nil : name == "kvUse" ? 0.5 : name == "blockSize" ? 16 : 5
                #expect(value == expected, "\(line): \(name)")
            }
        }
    }

    /// A page that passes on another engine's figures beside its own.
    @Test func aMixedPageIsTheFamilyWithMostSeries() {
        let signals = signals(
            "vllm:num_requests_running 1\nsglang:num_running_reqs 7\nsglang:num_queue_reqs 3\n")
        #expect(signals.kind == .sglang && signals.running == 7 && signals.waiting == 3)
    }

    @Test func anUnknownPageTellsNothing() {
        #expect(signals("") == EngineSignals())
        #expect(signals("tgi_queue_size 3\n<html>\n{}\n") == EngineSignals())
        #expect(signals(Self.vllm, .llamacpp) == EngineSignals())
    }

    @Test(arguments: ["NaN", "-1", "+Inf", "-Inf", "1e300", "", "abc"])
    func liesBecomeNil(_ lie: String) {
        let signals = signals(
            """
            vllm:num_requests_running{engine="0"} 1
            vllm:num_requests_running{engine="1"} \(lie)
            vllm:num_requests_waiting \(lie)
            vllm:kv_cache_usage_perc \(lie)
            vllm:prefix_cache_hits_total \(lie)
            """)
        #expect(signals.kind == .vllm)
        // A line without a number is no sample; what stands is the other rank.
        #expect(signals.running == (lie == "" || lie == "abc" ? 1 : nil))
        #expect(signals.waiting == nil && signals.kvUse == nil && signals.prefixHits == nil)
    }

    @Test func kvUseOverOneIsALie() {
        #expect(signals("vllm:kv_cache_usage_perc 1.5").kvUse == nil)
        #expect(signals("vllm:kv_cache_usage_perc 1.0000001").kvUse == 1)
    }

    @Test func parsesLabelsAndForms() {
        var seen: [String] = []
        let page = """
            # comment
            plain 1
            spaced{ a = "1" , b="x\\"y\\\\z\\n{}=," } 2.5e-3 1700000000000
            \tindented{c=""}\t+Inf
            trailing{d="1",} NaN
            broken{e="1 3
            9bad 1
            noval
            """
        _ = withBytes(page) {
            PrometheusText.forEachSample(in: $0) { sample in
                seen.append("\(sample.name) \(sample.labels.map { "\($0.name)=\($0.value)" }) \(sample.value)")
            }
        }
        #expect(
            seen == [
                "plain [] 1.0", "spaced [\"a=1\", \"b=x\\\"y\\\\z\\n{}=,\"] 0.0025", "indented [\"c=\"] inf",
                "trailing [\"d=1\"] nan",
            ])
    }

    @Test func hasLimits() {
        let page =
            String(repeating: "a 1\n", count: 100) + "b{l=\"" + String(repeating: "x", count: 200) + "\"} 1\nc 1\n"
        func count(_ limits: PrometheusText.Limits) -> Int {
            withBytes(page) { PrometheusText.forEachSample(in: $0, limits: limits) { _ in } }
        }
        #expect(count(PrometheusText.Limits()) == 102)
        #expect(count(PrometheusText.Limits(maximumLineBytes: 100)) == 101)
        #expect(count(PrometheusText.Limits(maximumSamples: 7)) == 7)
        #expect(count(PrometheusText.Limits(maximumBytes: 40)) == 10)
    }

    @Test func nothingMakesItCrash() {
        var random = Noise(8)
        for _ in 0..<1_500 {
            let bytes = mutated(Array(Self.vllm.utf8), &random)
            bytes.withUnsafeBytes {
                let signals = EngineMetrics.read($0)
                #expect((signals.kvUse ?? 0) <= 1 && (signals.running ?? 0) >= 0)
                PrometheusText.forEachSample(in: $0) { _ = $0.labels }
            }
        }
    }

    @Test func writesAPage() {
        var page = PrometheusWriter()
        page.family("neap_requests_total", .counter, help: "Requests by\noutcome \\ kind.")
        page.sample(3, [("outcome", "completed"), ("model", "a\"b\\c\nd")])
        page.sample(0.5)
        page.family("neap_wait_seconds", .histogram, help: "Time in the queue.")
        page.histogram(
            HistogramSnapshot(bounds: [0.001, 0.5, 1], counts: [1, 0, 2, 4], sum: 9.25), [("band", "async")])
        let expected = """
            # HELP neap_requests_total Requests by\\noutcome \\\\ kind.
            # TYPE neap_requests_total counter
            neap_requests_total{outcome="completed",model="a\\"b\\\\c\\nd"} 3
            neap_requests_total 0.5
            # HELP neap_wait_seconds Time in the queue.
            # TYPE neap_wait_seconds histogram
            neap_wait_seconds_bucket{band="async",le="0.001"} 1
            neap_wait_seconds_bucket{band="async",le="0.5"} 1
            neap_wait_seconds_bucket{band="async",le="1"} 3
            neap_wait_seconds_bucket{band="async",le="+Inf"} 7
            neap_wait_seconds_sum{band="async"} 9.25
            neap_wait_seconds_count{band="async"} 7

            """
        #expect(String(decoding: page.bytes, as: UTF8.self) == expected)
        var values: [String: Double] = [:]
        _ = page.bytes.withUnsafeBytes {
            PrometheusText.forEachSample(in: $0) { values["\($0.name) \($0.label("model") ?? "")"] = $0.value }
        }
        #expect(values["neap_requests_total a\"b\\c\nd"] == 3)
        #expect(values["neap_wait_seconds_count "] == 7)
    }
}
