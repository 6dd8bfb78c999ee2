package import FleetTracking

/// Families whose figures somebody else holds; `Telemetry.addSource` takes them.
package enum GaugeSources {
    package static func build(version: String) -> [MetricFamily] {
        [MetricFamily(MetricCatalogue.buildInfo, [MetricSeries([version], 1)])]
    }

    package static func process() -> [MetricFamily] {
        let figures = ProcessFigures.read()
        let known: [(MetricDefinition, Double?)] = [
            (MetricCatalogue.processCPU, figures.cpuSeconds), (MetricCatalogue.processResident, figures.residentBytes),
            (MetricCatalogue.processVirtual, figures.virtualBytes), (MetricCatalogue.processFiles, figures.openFiles),
            (MetricCatalogue.processFileLimit, figures.fileLimit),
            (MetricCatalogue.processStart, figures.startSeconds),
        ]
        return known.compactMap { definition, value in value.map { MetricFamily(definition, $0) } }
    }

    package static func readiness(_ report: Readiness.Report) -> [MetricFamily] {
        [
            MetricFamily(MetricCatalogue.ready, report.isReady ? 1 : 0),
            MetricFamily(MetricCatalogue.storeHealthy, report.storeFault == nil ? 1 : 0),
        ]
    }

    package static func lockHold(_ times: HoldTimes) -> [MetricFamily] {
        let sum = Double(times.totalNanoseconds) / 1e9
        return [MetricFamily(MetricCatalogue.lockHold, [MetricSeries([], histogram: times.counts, sum: sum)])]
    }

    /// `logs`: each log's name with its dropped lines.
    package static func droppedLines(_ logs: [(name: String, lines: UInt64)]) -> [MetricFamily] {
        [MetricFamily(MetricCatalogue.droppedLogLines, logs.map { MetricSeries([$0.name], Double($0.lines)) })]
    }

    /// What the data path holds now.
    package struct DataPlaneFigures: Sendable {
        package var connections: Int
        package var refusedConnections: Int
        package var stalledConnections: Int
        package var bufferedBytes: Int
        package var bufferLimitBytes: Int
        package var bufferWaits: Int

        package init(
            connections: Int, refusedConnections: Int, stalledConnections: Int, bufferedBytes: Int,
            bufferLimitBytes: Int, bufferWaits: Int
        ) {
            self.connections = connections
            self.refusedConnections = refusedConnections
            self.stalledConnections = stalledConnections
            self.bufferedBytes = bufferedBytes
            self.bufferLimitBytes = bufferLimitBytes
            self.bufferWaits = bufferWaits
        }
    }

    package static func dataPlane(_ figures: DataPlaneFigures) -> [MetricFamily] {
        [
            MetricFamily(MetricCatalogue.connections, Double(figures.connections)),
            MetricFamily(MetricCatalogue.refusedConnections, Double(figures.refusedConnections)),
            MetricFamily(MetricCatalogue.stalledConnections, Double(figures.stalledConnections)),
            MetricFamily(MetricCatalogue.bufferedBytes, Double(figures.bufferedBytes)),
            MetricFamily(MetricCatalogue.bufferLimit, Double(figures.bufferLimitBytes)),
            MetricFamily(MetricCatalogue.bufferWaits, Double(figures.bufferWaits)),
        ]
    }

    /// What the engines said when they were last asked.
    package static func endpoints(
        _ statuses: [EndpointStatus], directory: Directory, now: Instant
    ) -> [MetricFamily] {
        let rows = statuses.map { status in
            (labels: [directory.pool(status.entry.pool)?.name ?? "", status.entry.url], status: status)
        }
        func gauge(
            _ definition: MetricDefinition, _ value: (EngineSample) -> Double?
        ) -> MetricFamily {
            MetricFamily(
                definition,
                rows.compactMap { labels, status in
                    status.sample.flatMap(value).map { MetricSeries(labels, $0) }
                })
        }
        let scrapes = rows.flatMap { labels, status in
            [
                MetricSeries(labels + ["absent"], Double(status.scrapesAbsent)),
                MetricSeries(labels + ["failed"], Double(status.scrapesFailed)),
                MetricSeries(labels + ["ok"], Double(status.scrapesDone)),
            ]
        }
        let checks = rows.flatMap { labels, status in
            [
                MetricSeries(labels + ["healthy"], Double(status.checksHealthy)),
                MetricSeries(labels + ["unhealthy"], Double(status.checksUnhealthy)),
            ]
        }
        return [
            gauge(MetricCatalogue.endpointRunning) { $0.running.map(Double.init) },
            gauge(MetricCatalogue.endpointWaiting) { $0.waiting.map(Double.init) },
            gauge(MetricCatalogue.endpointCacheUse) { $0.kvUse },
            gauge(MetricCatalogue.endpointSampleAge) { max(0, (now - $0.takenAt).seconds) },
            MetricFamily(MetricCatalogue.scrapes, scrapes), MetricFamily(MetricCatalogue.healthChecks, checks),
        ]
    }
}
