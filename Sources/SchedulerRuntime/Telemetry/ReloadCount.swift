import Synchronization

/// How often the configuration was read again, and with what success.
package final class ReloadCount: Sendable {
    private let counts = Mutex((succeeded: 0, failed: 0))

    package init() {}

    package func count(succeeded: Bool) {
        counts.withLock { counts in
            if succeeded { counts.succeeded += 1 } else { counts.failed += 1 }
        }
    }

    package func families() -> [MetricFamily] {
        let counts = counts.withLock { $0 }
        return [
            MetricFamily(
                MetricCatalogue.reloads,
                [
                    MetricSeries(["failure"], Double(counts.failed)),
                    MetricSeries(["success"], Double(counts.succeeded)),
                ])
        ]
    }
}
