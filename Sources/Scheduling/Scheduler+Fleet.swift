import FleetTracking

/// What samples, health checks and the configuration change.
extension Scheduler {
    mutating func observed(_ event: Event, _ now: Instant, _ effects: inout [Effect]) {
        switch event {
        case .sampled(let id, let sample):
            guard let pool = known(id), fleet.observe(sample, of: id, at: now) else { return }
            settle(pool, now, &effects)
        case .sampleFailed(let id):
            guard known(id) != nil else { return }
            _ = fleet.sampleFailed(id)
        case .probed(let id, let healthy):
            guard let pool = known(id) else { return }
            report(fleet.probed(id, healthy: healthy, at: now), &effects)
            settle(pool, now, &effects)
        default: return
        }
    }

    mutating func configured(_ event: Event, _ now: Instant, _ effects: inout [Effect]) {
        switch event {
        case .endpointAdded(let description):
            guard fleet.add(description) else {
                ignoredEvents += 1
                return
            }
            settle(description.pool.index, now, &effects)
        case .endpointModels(let id, let models):
            guard let pool = known(id), fleet.setModels(models, of: id) else { return }
            settle(pool, now, &effects)
        case .endpointLimits(let id, let limits):
            guard let pool = known(id), fleet.setLimits(limits, of: id) else { return }
            settle(pool, now, &effects)
        case .endpointDraining(let id, let isDraining):
            guard let pool = known(id), fleet.setDraining(isDraining, of: id) else { return }
            settle(pool, now, &effects)
        case .endpointRemoved(let id):
            guard let pool = known(id), fleet.remove(id) else { return }
            settle(pool, now, &effects)
        default: return
        }
    }

    /// The pool of an endpoint in the configuration; nil (and counted) when it is unknown or was removed.
    private mutating func known(_ id: EndpointID) -> Int? {
        guard let pool = fleet.pool(of: id) else {
            ignoredEvents += 1
            return nil
        }
        return pool.index
    }
}
