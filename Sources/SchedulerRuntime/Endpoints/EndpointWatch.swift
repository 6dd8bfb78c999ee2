import FleetTracking
package import Logging
import NIOCore
import NIOSSL
import Scheduling
import ServiceLifecycle
import Synchronization

/// Keeps what is known of every endpoint fresh: models, metrics, health. One child task for each endpoint, one
/// connection, one request at a time: a slow engine delays nobody but itself.
///
/// It only reports: what a failed check means for traffic is the scheduler's decision. Ends with graceful shutdown,
/// which comes after the last request has drained.
package final class EndpointWatch: Service {
    private let settings: WatchSettings
    private let registry: EndpointRegistry
    private let host: SchedulerHost
    private let readiness: Readiness
    private let logger: Logger
    private let firstRound: Mutex<(tried: Set<EndpointID>, isOver: Bool)>

    package init(
        settings: WatchSettings, registry: EndpointRegistry, host: SchedulerHost, readiness: Readiness, logger: Logger
    ) {
        self.settings = settings
        self.registry = registry
        self.host = host
        self.readiness = readiness
        self.logger = logger
        firstRound = Mutex(([], false))
    }

    package func run() async throws {
        checkFirstRound()
        await withDiscardingTaskGroup { group in
            var stops: [EndpointID: AsyncStream<Void>.Continuation] = [:]
            for await change in registry.changes.cancelOnGracefulShutdown() {
                switch change {
                case .added(let entry), .changed(let entry):
                    stops.removeValue(forKey: entry.id)?.finish()
                    let (stopped, stop) = AsyncStream.makeStream(of: Void.self)
                    stops[entry.id] = stop
                    group.addTask { await self.watch(entry, until: stopped) }
                case .removed(let id): stops.removeValue(forKey: id)?.finish()
                }
                checkFirstRound()
            }
            for stop in stops.values { stop.finish() }
        }
    }

    /// Runs one endpoint's watch until it is stopped; whichever of the two ends first ends the other.
    private func watch(_ entry: EndpointEntry, until stopped: AsyncStream<Void>) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.follow(entry) }
            group.addTask { for await _ in stopped {} }
            await group.next()
            group.cancelAll()
        }
    }

    private func follow(_ entry: EndpointEntry) async {
        guard let reader = await makeReader(of: entry) else { return }
        // A watch that is stopped must not wait for an engine that says nothing.
        await withTaskCancellationHandler {
            await ask(entry, reader)
        } onCancel: {
            reader.close()
        }
        reader.close()
    }

    /// Tries again until the endpoint's TLS files can be used: they may come later, or be mended. Nil: stopped before.
    private func makeReader(of entry: EndpointEntry) async -> EngineReader? {
        var logged: String?
        while !Task.isCancelled {
            do {
                return try EngineReader(endpoint: entry, settings: settings, loop: loop(of: entry))
            } catch {
                let reason = "TLS settings of \(entry.url): \(error)"
                registry.note(entry.id) { $0.fault = reason }
                host.submit(.probed(entry.id, healthy: false))
                if logged != reason {
                    logged = reason
                    logger.error(
                        "endpoint cannot be watched", metadata: ["endpoint": "\(entry.url)", "reason": "\(reason)"])
                }
                tried(entry.id)
            }
            try? await Task.sleep(for: settings.scrapeInterval * jitter())
        }
        return nil
    }

    private func ask(_ entry: EndpointEntry, _ reader: EngineReader) async {
        var plan = WatchPlan(settings: settings, now: host.clock.now())
        while !Task.isCancelled {
            switch plan.next(now: host.clock.now()) {
            case .models: await readModels(entry, reader, &plan)
            case .scrape:
                await scrape(entry, reader, &plan)
                tried(entry.id)
            case .health: await checkHealth(entry, reader, &plan)
            case .wait(let until): try? await Task.sleep(for: until - host.clock.now())
            }
        }
    }

    private func readModels(_ entry: EndpointEntry, _ reader: EngineReader, _ plan: inout WatchPlan) async {
        let answer = await reader.models()
        guard !Task.isCancelled else { return }
        switch answer {
        case .listed(let models): registry.learned(models, at: entry.id)
        case .absent: registry.learned([], at: entry.id)
        case .failed(let reason): note(entry, fault: "model list: \(reason)")
        }
        plan.modelsEnded(succeeded: answer.isKnown, now: host.clock.now(), jitter: jitter())
    }

    private func scrape(_ entry: EndpointEntry, _ reader: EngineReader, _ plan: inout WatchPlan) async {
        let answer = await reader.metrics(clock: host.clock)
        guard !Task.isCancelled else { return }
        let result: WatchPlan.ScrapeResult
        switch answer {
        case .sampled(let kind, let sample):
            registry.learned(kind, at: entry.id)
            registry.note(entry.id) { status in
                status.sample = sample
                status.scrapesDone &+= 1
                status.fault = nil
            }
            host.submit(.sampled(entry.id, sample))
            result = .sampled
        case .absent(let reason):
            registry.learned(.unknown, at: entry.id)
            registry.note(entry.id) { status in
                status.scrapesAbsent &+= 1
                status.fault = "no metrics: \(reason)"
            }
            host.submit(.sampleFailed(entry.id))
            result = .absent
        case .failed(let reason):
            registry.note(entry.id) { $0.scrapesFailed &+= 1 }
            note(entry, fault: "metrics: \(reason)")
            host.submit(.sampleFailed(entry.id))
            result = .failed
        }
        plan.scrapeEnded(result, now: host.clock.now(), jitter: jitter())
    }

    private func checkHealth(_ entry: EndpointEntry, _ reader: EngineReader, _ plan: inout WatchPlan) async {
        let answer = await reader.health()
        guard !Task.isCancelled else { return }
        let wasHealthy = plan.isHealthy
        switch answer {
        case .healthy:
            registry.note(entry.id) { status in
                status.isHealthy = true
                status.checksHealthy &+= 1
            }
            if wasHealthy != true { logger.info("endpoint is well", metadata: ["endpoint": "\(entry.url)"]) }
        case .unhealthy(let reason):
            registry.note(entry.id) { status in
                status.isHealthy = false
                status.checksUnhealthy &+= 1
                status.fault = "health: \(reason)"
            }
            if wasHealthy != false {
                logger.warning(
                    "endpoint is unwell", metadata: ["endpoint": "\(entry.url)", "reason": "\(reason)"])
            }
        }
        host.submit(.probed(entry.id, healthy: answer == .healthy))
        plan.healthEnded(healthy: answer == .healthy, now: host.clock.now(), jitter: jitter())
    }

    private func note(_ entry: EndpointEntry, fault: String) {
        registry.note(entry.id) { $0.fault = fault }
        logger.debug("endpoint was asked in vain", metadata: ["endpoint": "\(entry.url)", "reason": "\(fault)"])
    }

    private func loop(of entry: EndpointEntry) -> any EventLoop { host.loops[entry.id.index % host.loops.count] }

    private func jitter() -> Double { .random(in: 0.9...1.1) }

    private func tried(_ endpoint: EndpointID) {
        let isNews = firstRound.withLock { !$0.isOver && $0.tried.insert(endpoint).inserted }
        if isNews { checkFirstRound() }
    }

    /// The first round is over when each endpoint of the present configuration was asked once, whatever it said.
    private func checkFirstRound() {
        let present = registry.statuses().map(\.entry.id)
        let isOver = firstRound.withLock { round in
            guard !round.isOver else { return false }
            round.isOver = present.allSatisfy(round.tried.contains)
            return round.isOver
        }
        if isOver { readiness.firstRoundTried() }
    }
}
