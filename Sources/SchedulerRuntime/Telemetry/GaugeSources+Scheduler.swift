import FleetTracking
package import Scheduling

extension GaugeSources {
    /// What the scheduler holds now: queues, work in flight, and what it believes of each endpoint.
    package static func scheduler(_ snapshot: SchedulerSnapshot, directory: Directory) -> [MetricFamily] {
        pools(snapshot, directory) + endpoints(snapshot, directory) + [
            MetricFamily(MetricCatalogue.works, Double(snapshot.works)),
            MetricFamily(MetricCatalogue.ignoredEvents, Double(snapshot.ignoredEvents)),
            MetricFamily(MetricCatalogue.asyncPaused, snapshot.isAsyncPaused ? 1 : 0),
        ]
    }

    private static func pools(_ snapshot: SchedulerSnapshot, _ directory: Directory) -> [MetricFamily] {
        let rows = snapshot.pools.map { (name: directory.pool($0.id)?.name ?? "", state: $0) }
        func perBand(_ definition: MetricDefinition, _ value: (BandSnapshot) -> Int) -> MetricFamily {
            MetricFamily(
                definition,
                rows.flatMap { name, state in
                    [
                        MetricSeries([name, Band.async.label], Double(value(state.async))),
                        MetricSeries([name, Band.realtime.label], Double(value(state.realtime))),
                    ]
                })
        }
        return [
            perBand(MetricCatalogue.inFlight) { $0.inFlight }, perBand(MetricCatalogue.queueDepth) { $0.waiting },
            MetricFamily(MetricCatalogue.saturation, rows.map { MetricSeries([$0.name], $0.state.saturation) }),
            MetricFamily(MetricCatalogue.backlog, rows.map { MetricSeries([$0.name], Double($0.state.backlog)) }),
        ]
    }

    private static func endpoints(_ snapshot: SchedulerSnapshot, _ directory: Directory) -> [MetricFamily] {
        let rows = snapshot.endpoints.filter { !$0.isRemoved }.map { state in
            (labels: [directory.pool(state.pool)?.name ?? "", directory.endpoint(state.id)?.url ?? ""], state: state)
        }
        func gauge(_ definition: MetricDefinition, _ value: (EndpointSnapshot) -> Double) -> MetricFamily {
            MetricFamily(definition, rows.map { MetricSeries($0.labels, value($0.state)) })
        }
        let states = rows.flatMap { labels, state in
            stateNames.map { MetricSeries(labels + [$0], $0 == stateName(of: state) ? 1 : 0) }
        }
        return [
            MetricFamily(MetricCatalogue.endpointState, states),
            gauge(MetricCatalogue.endpointInFlight) { Double($0.realtime.works + $0.async.works) },
            gauge(MetricCatalogue.endpointForeign) { Double($0.foreignSequences) },
            gauge(MetricCatalogue.endpointLimit) { Double($0.maximumSequences) },
            gauge(MetricCatalogue.endpointStale) { $0.isStale ? 1 : 0 },
        ]
    }

    private static let stateNames = ["draining", "ejected", "healthy", "returning"]

    private static func stateName(of endpoint: EndpointSnapshot) -> String {
        if endpoint.isDraining { return "draining" }
        switch endpoint.health {
        case .healthy: return "healthy"
        case .returning: return "returning"
        case .ejected: return "ejected"
        }
    }
}
