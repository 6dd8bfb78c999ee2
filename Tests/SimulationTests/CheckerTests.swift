import EngineModel
import FleetTracking
import Scheduling
import Testing

@testable import Simulation

/// Every rule that a world checks is broken once, and the checker says so.
@Suite struct CheckerTests {
    static let trace = Trace(
        (0..<400).map { TraceRequest(arrival: Int64($0), promptTokens: 100, outputTokens: 10) })

    /// A world with one engine and so many requests on their way, of all of which the scheduler knows nothing.
    static func world(visits: Int) -> World {
        var world = World(trace: trace, settings: SimulationSettings(endpoints: [.standard]))
        world.machines.append(Machine(.standard, noise: 0, seed: 1))
        for request in 0..<visits {
            world.open += 1
            world.visits.append(Visit(request: request, band: .realtime, arrivedAt: world.now))
        }
        return world
    }

    /// A world whose scheduler was told of its engine and of so many requests.
    static func told(visits: Int) -> World {
        var world = World(trace: trace, settings: SimulationSettings(endpoints: [.standard]))
        world.install([.standard])
        for request in 0..<visits {
            world.open += 1
            _ = world.add(Visit(request: request, band: .realtime, arrivedAt: world.now))
        }
        return world
    }

    static func forward(_ visit: Int, in world: inout World) {
        world.carryOut(.forward(world.work(visit), EndpointID(0), attempt: 1))
    }

    @Test func `a request that ends twice`() {
        var world = Self.world(visits: 1)
        world.leave(0)
        #expect(world.result.violations == [])
        world.leave(0)
        #expect(world.result.violations == ["0 ns: request 0 ended twice"])
    }

    @Test func `a request that is sent after its end`() {
        var world = Self.world(visits: 1)
        world.leave(0)
        Self.forward(0, in: &world)
        #expect(world.result.violations == ["0 ns: request 0 was sent after its end"])
    }

    @Test func `a request that overtakes another`() {
        var world = Self.world(visits: 3)
        Self.forward(0, in: &world)
        #expect(world.result.violations == [])
        Self.forward(2, in: &world)
        #expect(world.result.violations == ["0 ns: request 2 was sent before 1"])
    }

    @Test func `an endpoint with more sequences than it runs`() {
        let limit = EngineProfile.standard.maximumSequences
        var world = Self.world(visits: limit + 1)
        for visit in 0..<limit { Self.forward(visit, in: &world) }
        #expect(world.result.violations == [])
        Self.forward(limit, in: &world)
        #expect(
            world.result.violations == ["0 ns: endpoint 0 has more than it runs at once: \(limit + 1)"])
    }

    @Test func `a clock that goes back`() {
        var world = World(trace: Self.trace, settings: SimulationSettings(endpoints: [.standard]))
        world.agenda.add(.timer, at: Instant(nanoseconds: -5))
        let result = world.run()
        #expect(result.violations.count == 1)
        #expect(result.violations.first?.contains("the clock went back from") == true, "\(result.violations)")
    }

    @Test func `works that wait in the scheduler although they ended`() {
        let visits = 400
        var world = Self.told(visits: visits)
        let sent = world.machines[0].inFlight
        for visit in 0..<visits { world.leave(visit) }
        world.finish()
        let violations = world.result.violations
        #expect(violations.contains("0 ns: \(visits) works are left in the scheduler"), "\(violations)")
        #expect(violations.contains("0 ns: \(visits - sent) requests and 0 jobs still wait"), "\(violations)")
    }

    @Test func `charges and prompt tokens that are left at an endpoint`() {
        var world = Self.told(visits: 1)
        world.leave(0)
        world.finish()
        let violations = world.result.violations
        #expect(violations.contains("0 ns: 1 works are left in the scheduler"), "\(violations)")
        #expect(violations.contains { $0.contains("endpoint 0 is still charged with") }, "\(violations)")
        #expect(violations.contains("0 ns: endpoint 0 still awaits 100 prompt tokens"), "\(violations)")
    }

    @Test func `sequences that are left at an engine`() {
        var world = Self.told(visits: 0)
        world.machines[0].inFlight = 1
        world.finish()
        #expect(world.result.violations == ["0 ns: endpoint 0 still has 1"])
    }

    @Test func `a run without a broken rule says nothing`() {
        var world = Self.told(visits: 3)
        for visit in 0..<3 { world.withdraw(visit) }
        world.finish()
        #expect(world.result.violations == [])
    }
}
