import EndpointPicking
package import EngineModel
import Scheduling

/// The highest speed of a trace that a fleet bears.
package enum Capacity {
    /// Found by bisection to 1 %: with `least-requests` no more requests wait at the end of the arrivals than in their
    /// middle. Nil: not even a thousandth of the trace's speed, or still at a thousand times of it.
    ///
    /// `trying` hears every speed before it is tried.
    package static func find(
        _ trace: Trace, endpoints: [EngineProfile], seed: UInt64, trying: (Double) -> Void = { _ in }
    ) -> Double? {
        func bears(_ speed: Double) -> Bool {
            trying(speed)
            return Capacity.bears(trace, endpoints, seed, speed: speed)
        }
        var low = 1.0
        var high = 1.0
        if bears(1) {
            repeat {
                low = high
                high *= 2
                if high > 1024 { return nil }
            } while bears(high)
        } else {
            repeat {
                high = low
                low /= 2
                if low < 0.001 { return nil }
            } while !bears(low)
        }
        while high / low > 1.01 {
            let middle = (low * high).squareRoot()
            if bears(middle) { low = middle } else { high = middle }
        }
        return low
    }

    private static func bears(
        _ trace: Trace, _ endpoints: [EngineProfile], _ seed: UInt64, speed: Double
    ) -> Bool {
        var settings = SimulationSettings(endpoints: endpoints)
        settings.pool.profile = Policies.named("least-requests") ?? .standard
        settings.speed = speed
        settings.seed = seed
        settings.stopsAtLastArrival = true
        var world = World(trace: trace, settings: settings)
        let result = world.run()
        return result.waitingAtTheEnd <= result.waitingInTheMiddle
    }
}
