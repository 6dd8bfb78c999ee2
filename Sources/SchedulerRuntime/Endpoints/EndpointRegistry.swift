package import FleetTracking
import Scheduling
import Synchronization

/// The pools and endpoints in force: gives out their ids, tells the scheduler, and keeps the directory in step.
///
/// Every change comes through here: configuration, reload, learned models, an operator's drain. Events are submitted
/// after the directory holds what they speak of, so that a `forward` to a new endpoint always finds its entry, and in
/// the order of the changes.
package final class EndpointRegistry: Sendable {
    private struct State {
        var pools: [PoolDescription] = []
        var statuses: [EndpointStatus] = []
        /// Endpoints of the present configuration, in its order.
        var active: [EndpointID] = []
    }

    private let host: SchedulerHost
    private let directory: DirectoryHolder
    private let names: Names
    private let state = Mutex(State())
    /// Held over a change and the telling of it, and taken before `state`: two changes at once reach the scheduler in
    /// their order, and what its effects wake may read the state meanwhile. It may not change it there and then.
    private let order = Mutex(())
    /// Read by the one `EndpointWatch`.
    let changes: AsyncStream<EndpointChange>
    private let announce: AsyncStream<EndpointChange>.Continuation
    private let listener = Mutex<(@Sendable () -> Void)?>(nil)

    package init(host: SchedulerHost, directory: DirectoryHolder, names: Names) {
        self.host = host
        self.directory = directory
        self.names = names
        (changes, announce) = AsyncStream.makeStream(of: EndpointChange.self)
    }

    /// Sets who is told that models or pools changed. Called without a lock, after the scheduler was told.
    package func onDirectoryChange(_ listener: @escaping @Sendable () -> Void) {
        self.listener.withLock { $0 = listener }
    }

    /// Takes the pools of the configuration. The first call makes them; a later one (reload) may change each pool's
    /// endpoints and models, and its other settings but its name. Pools themselves come and go with a restart: new
    /// names are passed over, and a pool that is not named stays as it is.
    ///
    /// Endpoints are told apart by pool and URL. One that stays keeps its id and its work; one that leaves takes no new
    /// work while what runs there goes on to its end.
    package func apply(_ pools: [PoolDescription]) {
        order.withLock { _ in
            let changed: (changes: [EndpointChange], events: [Event]) = state.withLock { state in
                let changes = EndpointRegistry.merge(pools, into: &state)
                refreshDirectory(state)
                return (changes, events(for: changes, state))
            }
            host.submit(changed.events)
            for change in changed.changes { announce.yield(change) }
        }
        listener.withLock { $0 }?()
    }

    /// What the watch found in an endpoint's model list.
    func learned(_ models: [LearnedModel], at endpoint: EndpointID) {
        let isNews = order.withLock { _ in
            let event: Event? = state.withLock { state in
                let status = state.statuses[endpoint.index]
                guard state.active.contains(endpoint), status.models != models || !status.hasLearnedModels else {
                    return nil
                }
                state.statuses[endpoint.index].models = models
                state.statuses[endpoint.index].hasLearnedModels = true
                refreshDirectory(state)
                return .endpointModels(endpoint, modelIDs(of: endpoint, state))
            }
            if let event { host.submit(event) }
            return event != nil
        }
        if isNews { listener.withLock { $0 }?() }
    }

    /// What the watch found an endpoint's engine to be: by the last metrics page that it answered with, `unknown` when
    /// that shows no known family. An engine that does not answer stays what it was.
    func learned(_ kind: EngineKind, at endpoint: EndpointID) {
        state.withLock { state in
            guard state.statuses[endpoint.index].kind != kind else { return }
            state.statuses[endpoint.index].entry.kind = kind
            refreshDirectory(state)
        }
    }

    func note(_ endpoint: EndpointID, _ change: (inout EndpointStatus) -> Void) {
        state.withLock { change(&$0.statuses[endpoint.index]) }
    }

    /// Takes an endpoint out of service for new work, or back. False: no such endpoint.
    package func setDraining(_ endpoint: EndpointID, _ isDraining: Bool) -> Bool {
        order.withLock { _ in
            let exists = state.withLock { state in
                guard state.active.contains(endpoint) else { return false }
                state.statuses[endpoint.index].isDraining = isDraining
                return true
            }
            if exists { host.submit(.endpointDraining(endpoint, isDraining)) }
            return exists
        }
    }

    /// The endpoints of the present configuration, in its order.
    package func statuses() -> [EndpointStatus] {
        state.withLock { state in state.active.map { state.statuses[$0.index] } }
    }

    /// Ends the stream of changes, and with it the watch.
    package func finish() { announce.finish() }
}

extension EndpointRegistry {
    private static func merge(_ pools: [PoolDescription], into state: inout State) -> [EndpointChange] {
        var changes: [EndpointChange] = []
        var active: [EndpointID] = []
        if state.pools.isEmpty { state.pools = pools }
        for index in state.pools.indices {
            guard let fresh = pools.first(where: { $0.name == state.pools[index].name }) else {
                // A pool that is no longer named keeps what it has: its engines serve until the restart.
                active += state.active.filter { state.statuses[$0.index].entry.pool.index == index }
                continue
            }
            state.pools[index] = fresh
            for specification in fresh.endpoints {
                let known = state.active.first { id in
                    let entry = state.statuses[id.index].entry
                    return entry.pool.index == index && entry.url == specification.url
                }
                let id = known ?? EndpointID(state.statuses.count)
                var entry = EndpointEntry(specification, id: id, pool: PoolID(index))
                active.append(id)
                if known == nil {
                    state.statuses.append(EndpointStatus(entry: entry))
                    changes.append(.added(entry))
                } else if state.statuses[id.index].entry.differsInAccess(from: entry) {
                    entry.kind = state.statuses[id.index].kind
                    state.statuses[id.index].entry = entry
                    changes.append(.changed(entry))
                }
            }
        }
        for gone in state.active where !active.contains(gone) { changes.append(.removed(gone)) }
        state.active = active
        return changes
    }

    private func events(for changes: [EndpointChange], _ state: State) -> [Event] {
        var events: [Event] = []
        for change in changes {
            switch change {
            case .added(let entry):
                let limits = limits(of: entry.id, state)
                events.append(
                    .endpointAdded(
                        EndpointDescription(
                            id: entry.id, pool: entry.pool, maximumSequences: limits.maximumSequences,
                            batchTokens: limits.batchTokens, models: modelIDs(of: entry.id, state))))
            case .removed(let id): events.append(.endpointRemoved(id))
            case .changed: break
            }
        }
        // Models and limits that the configuration names may have changed for endpoints that stay.
        return events
            + state.active.flatMap { id in
                [.endpointModels(id, modelIDs(of: id, state)), .endpointLimits(id, limits(of: id, state))]
            }
    }

    /// What the configuration says of an endpoint's size.
    private func limits(of endpoint: EndpointID, _ state: State) -> EngineLimits {
        let entry = state.statuses[endpoint.index].entry
        let specification = state.pools[entry.pool.index].endpoints.first { $0.url == entry.url }
        return EngineLimits(
            maximumSequences: specification?.maximumSequences, batchTokens: specification?.batchTokens)
    }

    /// What an endpoint serves: what it lists itself; until then, what the configuration says of its pool.
    private func modelIDs(of endpoint: EndpointID, _ state: State) -> [ModelID] {
        let status = state.statuses[endpoint.index]
        let configured = state.pools[status.entry.pool.index].models
        let listed = status.hasLearnedModels && !status.models.isEmpty ? status.models.map(\.name) : configured
        return listed.map { names.model($0) }
    }

    /// Makes the directory say what `state` says. Called under the lock, so that snapshots come in order.
    private func refreshDirectory(_ state: State) {
        let pools = state.pools.enumerated().map { PoolEntry($1, id: PoolID($0)) }
        var models: [String: ModelEntry] = [:]
        for (index, pool) in state.pools.enumerated() {
            for id in state.active where state.statuses[id.index].entry.pool.index == index {
                for model in state.statuses[id.index].models where models[model.name] == nil {
                    models[model.name] = ModelEntry(
                        id: names.model(model.name), pool: PoolID(index), record: model.record)
                }
            }
            for name in pool.models where models[name] == nil {
                models[name] = ModelEntry(id: names.model(name), pool: PoolID(index), record: "")
            }
        }
        let endpoints = state.statuses.map { Optional($0.entry) }
        let awaitsModels = state.active.contains { !state.statuses[$0.index].hasLearnedModels }
        directory.update {
            $0 = Directory(pools: pools, endpoints: endpoints, models: models, awaitsModels: awaitsModels)
        }
    }
}

extension EndpointEntry {
    package init(_ specification: EndpointSpecification, id: EndpointID, pool: PoolID) {
        self.init(
            id: id, pool: pool, url: specification.url, host: specification.host, port: specification.port,
            tls: specification.tls, authorization: specification.authorization, pathPrefix: specification.pathPrefix)
    }

    fileprivate func differsInAccess(from other: EndpointEntry) -> Bool {
        tls != other.tls || authorization != other.authorization || host != other.host || port != other.port
    }
}

extension PoolEntry {
    fileprivate init(_ pool: PoolDescription, id: PoolID) {
        self.init(
            id: id, name: pool.name, allowedPaths: pool.allowedPaths, clientPriority: pool.clientPriority,
            realtimeTimeToLive: pool.realtimeTimeToLive, expectedOutputTokens: pool.expectedOutputTokens)
    }
}
