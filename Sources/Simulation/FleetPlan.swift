import EndpointPicking
package import EngineModel
import FleetTracking
import FlowControl
import Scheduling

/// How many endpoints a trace needs: for its requests alone, for a backlog alone, and for both in one pool.
package struct FleetPlan: Sendable {
    package var trace: Trace
    package var profile: EngineProfile
    package var objectives: Objectives
    package var seed: UInt64 = 1
    package var speed = 1.0
    package var mostEndpoints = 256

    package init(trace: Trace, profile: EngineProfile, objectives: Objectives) {
        self.trace = trace
        self.profile = profile
        self.objectives = objectives
    }

    /// From the first request's arrival to the last one's, at the plan's speed.
    package var seconds: Double { Double(settings(1).scaled(trace.span)) / 1e9 }

    /// For the requests alone. `trying` hears every size before it is tried.
    package func realtimeFleet(trying: (Int) -> Void = { _ in }) -> FleetTrial {
        pool(with: [], trying: trying)
    }

    /// For the requests and, in what they leave, the backlog: done by the last request's arrival.
    package func pool(with jobs: [TraceRequest], trying: (Int) -> Void = { _ in }) -> FleetTrial {
        FleetSizing.smallest(upTo: mostEndpoints) { size in
            trying(size)
            var settings = settings(size)
            settings.jobs = jobs
            var world = World(trace: trace, settings: settings)
            let result = world.run()
            return judge(size, result, jobs: jobs.count, done: result.jobsCompletedInTime)
        }
    }

    /// For the backlog alone, within the same time. Its engines have nothing to spare for requests, so the jobs come as
    /// requests, all at once: an endpoint runs as many as it can hold.
    package func asyncFleet(for jobs: [TraceRequest], trying: (Int) -> Void = { _ in }) -> FleetTrial {
        let alone = FleetPlan.atOnce(jobs, blockTokens: trace.blockTokens)
        return FleetSizing.smallest(upTo: mostEndpoints) { size in
            trying(size)
            var settings = settings(size)
            settings.speed = 1
            settings.timeToLive = .seconds(1_000_000_000)
            settings.pool.flow.realtime.entries = max(settings.pool.flow.realtime.entries, jobs.count)
            settings.longestRun = .nanoseconds(self.settings(1).scaled(trace.span))
            var world = World(trace: alone, settings: settings)
            let result = world.run()
            return judge(size, result, jobs: jobs.count, done: result.completed + result.tooLong, isAlone: true)
        }
    }

    /// Jobs as the trace's requests are, drawn from them until they have `ratio` of the requests' tokens (prompt and
    /// output). They share no prefix with anything.
    package func backlog(ratio: Double) -> [TraceRequest] {
        let tokens = trace.requests.reduce(0.0) { $0 + Double($1.promptTokens + $1.outputTokens) }
        var generator = SeededGenerator(seed: seed ^ 0x6261_636b_6c6f_6721)
        var jobs: [TraceRequest] = []
        var drawn = 0.0
        while drawn < ratio * tokens, jobs.count < FleetPlan.mostJobs, !trace.requests.isEmpty {
            let like = trace.requests[generator.below(trace.requests.count)]
            jobs.append(TraceRequest(arrival: 0, promptTokens: like.promptTokens, outputTokens: like.outputTokens))
            drawn += Double(max(1, like.promptTokens + like.outputTokens))
        }
        return jobs
    }

    /// The most jobs of a backlog: with the requests they stay within what the scheduler of a simulation knows at once.
    package static let mostJobs = 500_000

    private static func atOnce(_ jobs: [TraceRequest], blockTokens: Int) -> Trace {
        Trace(
            jobs.map {
                var request = $0
                request.arrival = 0
                request.cancelAfter = nil
                return request
            }, blockTokens: blockTokens)
    }

    private func settings(_ size: Int) -> SimulationSettings {
        var settings = SimulationSettings(endpoints: Array(repeating: profile, count: size))
        settings.pool.profile = .predicted
        settings.seed = seed
        settings.speed = speed
        return settings
    }

    /// What an engine refuses because it is too long is refused by every fleet and counts against none.
    private func judge(
        _ size: Int, _ result: SimulationResult, jobs: Int, done: Int, isAlone: Bool = false
    ) -> FleetTrial {
        var trial = FleetTrial(
            endpoints: size, firstToken: SimulationResult.quantile(result.firstToken, 0.99),
            perToken: SimulationResult.quantile(result.perToken, 0.99), refused: isAlone ? 0 : result.refused,
            jobsLeft: max(0, jobs - done), jobs: jobs, misses: [])
        if !isAlone {
            for (name, found, goal) in [
                ("TTFT", trial.firstToken, objectives.firstToken), ("TPOT", trial.perToken, objectives.perToken),
            ] {
                guard let goal, found > goal else { continue }
                trial.misses.append(
                    "\(name) p99 is \(tenths(found)) ms, \(tenths(found - goal)) ms above the objective of \(tenths(goal)) ms"
                )
            }
            if trial.refused > 0 {
                trial.misses.append("\(trial.refused) of \(result.requests) requests are refused")
            }
            trial.misses += result.violations.map { "broken rule: \($0)" }
        }
        if trial.jobsLeft > 0 {
            trial.misses.append("\(trial.jobsLeft) of \(jobs) jobs of the backlog are not done in time")
        }
        return trial
    }

    private func tenths(_ value: Double) -> String {
        let tenths = Int64((min(1e15, value) * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
