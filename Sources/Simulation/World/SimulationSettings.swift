package import EngineModel
import FleetTracking
import FlowControl
package import Scheduling

/// One run: the fleet, the policy, and what is random in it.
package struct SimulationSettings: Sendable {
    /// One for each endpoint.
    package var endpoints: [EngineProfile]
    package var pool = PoolSettings()
    package var seed: UInt64 = 1
    /// So many times the trace's own speed.
    package var speed = 1.0
    package var scrapeInterval = Duration.milliseconds(200)
    /// From the engine's answer until the scheduler has it.
    package var scrapeDelay = Duration.milliseconds(5)
    package var probeInterval = Duration.seconds(1)
    /// How often the relay tells the tokens that it saw.
    package var reportInterval = Duration.milliseconds(50)
    /// From sending a request until it is in the engine's queue.
    package var requestOverhead = Duration.milliseconds(5)
    package var claimDelay = Duration.milliseconds(2)
    package var timeToLive = Duration.seconds(3600)
    /// What a request is thought to generate that names no limit.
    package var expectedOutputTokens = 256
    /// Spread of step times; 0: exact.
    package var noise = 0.04
    package var faults: [EngineFault] = []
    /// Jobs that wait in the store from the start, and are run in what real-time leaves. Their blocks are as long as the
    /// trace's.
    package var jobs: [TraceRequest] = []
    /// Only the queues at the end of the arrivals are of interest.
    package var stopsAtLastArrival = false
    /// Virtual time after the first arrival at which the run is broken off, and what has not ended is not counted.
    package var longestRun: Duration?
    /// Virtual time after the last arrival at which what has not ended never will.
    package var longestDrain = Duration.seconds(7200)

    /// What is known of the profiles is given to the scheduler as priors, one endpoint type for each kind of them.
    package init(endpoints: [EngineProfile]) {
        self.endpoints = endpoints
        pool.fleet.latency.priors = types.map { StepTerms($0.stepTime) }
        pool.flow.realtime.entries = 1 << 16
        pool.flow.realtime.promptTokens = 1 << 40
    }

    /// The trace's nanoseconds at the run's speed, at most about 31 years: a trace may be long and its speed small.
    package func scaled(_ nanoseconds: Int64) -> Int64 { Int64(min(1e18, Double(nanoseconds) / max(1e-6, speed))) }

    /// The kinds of endpoints, in the order in which they first come.
    var types: [EngineProfile] {
        var found: [EngineProfile] = []
        for profile in endpoints where !found.contains(profile) { found.append(profile) }
        return found
    }
}

extension StepTerms {
    /// An engine profile's step time in the latency model's terms, milliseconds.
    init(_ step: StepTime) {
        self.init(
            floor: step.weightReadMilliseconds + step.fixedMilliseconds,
            base: step.baseMilliseconds + step.fixedMilliseconds, token: step.linearMillisecondsPerToken,
            context: step.kvReadMillisecondsPerToken, pair: step.attentionMillisecondsPerPair,
            sequence: step.sequenceMilliseconds)
    }
}
