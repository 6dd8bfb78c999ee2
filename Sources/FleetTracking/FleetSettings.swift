/// What is assumed about an engine until its samples say better.
package struct CapacitySettings: Sendable, Equatable {
    /// Sequences an engine is assumed to run at once when the configuration names none. Default 256: vLLM's on most GPUs.
    package var maximumSequences = 256
    /// Sequences of jobs that an engine of unknown size gets before its samples show more running. Default 8: llama.cpp
    /// runs as few as 4, and each sample that shows them running doubles it.
    package var unprovenSequences = 8
    /// Tokens an engine is assumed to prefill and decode in one step. Default 2048: vLLM's for API servers.
    package var batchTokens = 2048
    /// Prompt tokens per second an engine is assumed to prefill until answers teach it. Default 8000: between an L4
    /// (3800) and an H100 (38000) with an 8B model.
    package var prefillTokensPerSecond = 8000.0
    /// Samples in a row with work waiting at an unchanged number of running sequences before that number is taken as
    /// the engine's limit. Default 3: one or two are a prefill in progress.
    package var confirmations = 3
    /// The KV use above which waiting work says nothing about the sequence limit. Default 0.9: memory is the limit there.
    package var kvBound = 0.9
    /// Share by which a learned limit rises again per second without waiting work. Default 0.05.
    package var recoveryPerSecond = 0.05

    package init() {}
}

/// How long a sample is believed.
package struct FreshnessSettings: Sendable, Equatable {
    /// A view is stale when its last sample is older. Default 3 s: several scrape periods, so that one lost scrape is
    /// nothing.
    package var staleAfter = Duration.seconds(3)
    /// After `staleAfter`, foreign load halves every so long for real-time decisions (never for async ones). Default 10 s.
    package var foreignHalfLife = Duration.seconds(10)
    /// A sample is compared with the most work of ours within this time around it: engines publish once per step and a
    /// scrape takes time, so a narrower window would see our own arrivals as somebody else's. Default 20 ms.
    package var sampleSlack = Duration.milliseconds(20)
    /// Changes of our own load kept per endpoint to compare samples with. Default 256 (6 KB).
    package var historyEntries = 256
    /// Share of an endpoint's sequences that async work may hold while its view is stale or missing; at least one
    /// work. Default 0.05: a trickle that keeps jobs moving and cannot hurt.
    package var staleTrickle = 0.05

    package init() {}
}

/// When an endpoint is taken out of rotation and how it comes back.
package struct EjectionSettings: Sendable, Equatable {
    /// Failed attempts in a row. Default 5.
    package var attemptFailures = 5
    /// Failed health checks in a row. Default 3.
    package var probeFailures = 3
    /// First time out of rotation; doubles with every ejection that follows a failed return. Default 2 s.
    package var shortest = Duration.seconds(2)
    /// The longest time out of rotation. Default 60 s.
    package var longest = Duration.seconds(60)
    /// Works that a returning endpoint may hold at first; doubles with every answer. Default 1.
    package var firstAllowance = 1
    /// An allowance above this is full health again. Default 32.
    package var fullAllowance = 32
    /// How long an endpoint that said "full" gets nothing unless a sample or the end of a work there shows room
    /// earlier; doubles while it repeats itself. Then works are let in as it answers: 1, 2, 4, … Default 100 ms.
    package var fullPause = Duration.milliseconds(100)
    /// The longest such pause, also for an engine's own `Retry-After`. Default 2 s.
    package var longestFullPause = Duration.seconds(2)

    package init() {}
}

/// Bounds of the map of what each engine's prefix cache is believed to hold.
package struct PrefixIndexSettings: Sendable, Equatable {
    /// Tokens an engine is assumed to cache until a sample tells its blocks and block size. Default 100000.
    package var assumedTokens = 100_000
    /// Blocks remembered per endpoint, whatever the engine's cache holds. Default 65536: 3 MB per endpoint when full.
    package var maximumBlocks = 65_536
    /// Bytes of prompt text taken as one token. Default 4.
    package var bytesPerToken = 4

    package init() {}
}

/// How much of an endpoint async work may use.
package struct AsyncShare: Sendable, Equatable {
    /// Share of sequences, batch tokens and KV kept free for real-time. Default 0.15.
    package var reserve = 0.15
    /// Async prompt tokens that may await prefill on one endpoint; a longer prompt goes alone. Default 1200: more of
    /// them in one step is felt by the streams there.
    package var prefillTokens = 1200

    package init() {}
}

/// All fleet settings of one pool.
package struct FleetSettings: Sendable, Equatable {
    package var capacity = CapacitySettings()
    package var freshness = FreshnessSettings()
    package var ejection = EjectionSettings()
    package var prefixIndex = PrefixIndexSettings()
    package var asyncShare = AsyncShare()
    package var latency = LatencySettings()

    package init() {}
}
