import FleetTracking
import FlowControl
package import Scheduling
import Synchronization

/// The gateway's figures: counted per event loop, put together at each scrape. Every metric is in `MetricCatalogue`.
package final class Telemetry: RecordSink {
    /// Gives further families at a scrape: gauges that somebody else holds.
    package typealias Source = @Sendable () -> [MetricFamily]

    /// The most models and tenants that labels tell apart; later ones become `other`.
    package static let labelLimit = 1000

    private let shards: [TelemetryShard]
    /// Where each event loop counts the gaps between output.
    package let gaps: [TokenGapShard]
    private let observations = Mutex(ObservationTally())
    private let sources = Mutex<[Source]>([])
    private let directory: DirectoryHolder

    /// One shard for each event loop.
    package init(shards: Int, directory: DirectoryHolder, labelLimit: Int = Telemetry.labelLimit) {
        let (models, tenants) = (LabelLimit(limit: labelLimit), LabelLimit(limit: labelLimit))
        self.shards = (0..<max(1, shards)).map { _ in TelemetryShard(models: models, tenants: tenants) }
        gaps = self.shards.map { _ in TokenGapShard() }
        self.directory = directory
    }

    package func record(_ record: RequestRecord, loop: Int) { shards[loop % shards.count].record(record) }

    package func observe(_ observation: Observation) { observations.withLock { $0.record(observation) } }

    package func addSource(_ source: @escaping Source) { sources.withLock { $0.append(source) } }

    /// Every family with its series, sorted by name.
    package func families() -> [MetricFamily] {
        let names = LabelNames(directory.current)
        var families = requestFamilies(names) + observationFamilies(names) + [gapFamily()]
        for source in sources.withLock({ $0 }) { families += source() }
        return families.filter { !$0.series.isEmpty }.sorted { $0.definition.name < $1.definition.name }
    }

    private func mergedCounts() -> TelemetryShard.Counts {
        var merged = TelemetryShard.Counts()
        for shard in shards {
            let counts = shard.counts()
            for (key, tally) in counts.requests { merged.requests[key, default: RequestTally()].add(tally) }
            for (key, tally) in counts.tenants { merged.tenants[key, default: TenantTally()].add(tally) }
            for (key, count) in counts.refusals { merged.refusals[key, default: 0] &+= count }
        }
        return merged
    }

    private func requestFamilies(_ names: LabelNames) -> [MetricFamily] {
        let counts = mergedCounts()
        let rows = counts.requests.map { (labels: [names.pool($0.pool), $0.model, $0.band.label], tally: $1) }
            .sorted { $0.labels.lexicographicallyPrecedes($1.labels) }
        func family(
            _ definition: MetricDefinition, _ series: ([String], RequestTally) -> MetricSeries
        ) -> MetricFamily { MetricFamily(definition, rows.map(series)) }
        let requests = rows.flatMap { labels, tally in
            tally.endings.map { ending, count in
                MetricSeries(labels + [ending.outcome.rawValue, String(ending.status)], Double(count))
            }.sorted { $0.labels.lexicographicallyPrecedes($1.labels) }
        }
        let distributions: [(MetricDefinition, KeyPath<RequestTally, Distribution>)] = [
            (MetricCatalogue.timeToFirstToken, \.timeToFirstToken),
            (MetricCatalogue.timePerOutputToken, \.timePerOutputToken),
            (MetricCatalogue.duration, \.duration),
        ]
        let sums: [(MetricDefinition, KeyPath<RequestTally, UInt64>)] = [
            (MetricCatalogue.promptTokens, \.promptTokens), (MetricCatalogue.cachedTokens, \.cachedTokens),
            (MetricCatalogue.outputTokens, \.outputTokens), (MetricCatalogue.receivedBytes, \.receivedBytes),
            (MetricCatalogue.sentBytes, \.sentBytes),
        ]
        let refusals = counts.refusals.map { MetricSeries([$0.reason, String($0.status)], Double($1)) }
            .sorted { $0.labels.lexicographicallyPrecedes($1.labels) }
        return [
            MetricFamily(MetricCatalogue.requests, requests), MetricFamily(MetricCatalogue.refusals, refusals),
        ]
            + distributions.map { definition, path in
                family(definition) { MetricSeries($0, histogram: $1[keyPath: path].counts, sum: $1[keyPath: path].sum) }
            } + sums.map { definition, path in family(definition) { MetricSeries($0, Double($1[keyPath: path])) } }
            + tenantFamilies(counts)
    }

    private func gapFamily() -> MetricFamily {
        let series = [Band.async, .realtime].map { band in
            var sum = (buckets: [UInt64](repeating: 0, count: TokenGapShard.bounds.count + 1), seconds: 0.0)
            for shard in gaps {
                let counts = shard.counts(band)
                for index in sum.buckets.indices { sum.buckets[index] &+= counts.buckets[index] }
                sum.seconds += counts.seconds
            }
            return MetricSeries([band.label], histogram: sum.buckets, sum: sum.seconds)
        }
        return MetricFamily(MetricCatalogue.interTokenLatency, series)
    }

    private func tenantFamilies(_ counts: TelemetryShard.Counts) -> [MetricFamily] {
        let rows = counts.tenants.map { (labels: [$0.tenant, $0.band.label], tally: $1) }
            .sorted { $0.labels.lexicographicallyPrecedes($1.labels) }
        return [
            MetricFamily(MetricCatalogue.tenantRequests, rows.map { MetricSeries($0, Double($1.requests)) }),
            MetricFamily(MetricCatalogue.tenantPromptTokens, rows.map { MetricSeries($0, Double($1.promptTokens)) }),
            MetricFamily(MetricCatalogue.tenantOutputTokens, rows.map { MetricSeries($0, Double($1.outputTokens)) }),
        ]
    }

    private func observationFamilies(_ names: LabelNames) -> [MetricFamily] {
        let seen = observations.withLock { $0 }
        func sums(_ definition: MetricDefinition, _ sums: [Int: Double]) -> MetricFamily {
            MetricFamily(definition, sums.sorted { $0.key < $1.key }.map { MetricSeries([names.pool($0)], $1) })
        }
        func perPool(_ definition: MetricDefinition, _ counts: [Int: UInt64]) -> MetricFamily {
            sums(definition, counts.mapValues { Double($0) })
        }
        // An endpoint that left and came back has another id and the same labels: its series goes on.
        func perEndpoint(_ definition: MetricDefinition, _ counts: [Int: UInt64]) -> MetricFamily {
            var sums: [[String]: UInt64] = [:]
            for (endpoint, count) in counts { sums[names.endpoint(endpoint), default: 0] &+= count }
            return MetricFamily(
                definition,
                sums.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { MetricSeries($0, Double($1)) })
        }
        let waits = seen.queueWait.map { key, wait in
            MetricSeries([names.pool(key.pool), key.band.label], histogram: wait.counts, sum: wait.sum)
        }
        let retries = seen.retries.map { key, count in
            MetricSeries([names.pool(key.pool), key.reason], Double(count))
        }
        return [
            MetricFamily(MetricCatalogue.queueWait, waits.sorted { $0.labels.lexicographicallyPrecedes($1.labels) }),
            MetricFamily(MetricCatalogue.retries, retries.sorted { $0.labels.lexicographicallyPrecedes($1.labels) }),
            perPool(MetricCatalogue.retryBudgetSpent, seen.retryBudgetSpent),
            perEndpoint(MetricCatalogue.ejections, seen.ejections),
            perEndpoint(MetricCatalogue.restorations, seen.restorations),
            perPool(MetricCatalogue.prefixPromptTokens, seen.promptTokens),
            perPool(MetricCatalogue.prefixMatchedTokens, seen.matchedTokens),
            perPool(MetricCatalogue.predictions, seen.predictions.mapValues(\.count)),
            sums(MetricCatalogue.predictionErrors, seen.predictions.mapValues(\.errors)),
        ]
    }
}

/// The names that go into labels.
struct LabelNames {
    private let directory: Directory

    init(_ directory: Directory) { self.directory = directory }

    /// "" before the pool was known.
    func pool(_ index: Int) -> String { directory.pool(PoolID(index))?.name ?? "" }

    /// Pool and URL.
    func endpoint(_ index: Int) -> [String] {
        guard let entry = directory.endpoint(EndpointID(index)) else { return ["", String(index)] }
        return [pool(entry.pool.index), entry.url]
    }
}
