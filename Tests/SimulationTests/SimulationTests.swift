import EndpointPicking
import EngineModel
import FleetTracking
import Scheduling
import Simulation
import Testing

@Suite struct SimulationTests {
    static func settings(_ endpoints: Int = 3, seed: UInt64 = 1, policy: String = "neap") -> SimulationSettings {
        var settings = SimulationSettings(endpoints: Array(repeating: .standard, count: endpoints))
        settings.seed = seed
        settings.pool.profile = Policies.named(policy) ?? .standard
        return settings
    }

    static func trace(seed: UInt64, _ requests: Int = 80) -> Trace {
        var traffic = SyntheticTrace()
        traffic.requests = requests
        traffic.startsPerSecond = 20
        traffic.turns = 2
        traffic.pause = 2
        traffic.groups = 4
        traffic.cancelled = 0.1
        return traffic.generate(seed: seed)
    }

    static func run(_ trace: Trace, _ settings: SimulationSettings) -> SimulationResult {
        var world = World(trace: trace, settings: settings)
        return world.run()
    }

    @Test func `the same seed gives the same decisions`() {
        let trace = Self.trace(seed: 3)
        let first = Self.run(trace, Self.settings(seed: 5, policy: "random"))
        let second = Self.run(trace, Self.settings(seed: 5, policy: "random"))
        let other = Self.run(trace, Self.settings(seed: 6, policy: "random"))
        #expect(first.digest == second.digest)
        #expect(first.firstToken == second.firstToken)
        #expect(first.digest != other.digest)
    }

    @Test(arguments: Policies.all.map(\.name)) func `every policy brings every request to its end`(_ policy: String) {
        let result = Self.run(Self.trace(seed: 11), Self.settings(policy: policy))
        #expect(result.violations == [])
        #expect(result.requests == 80)
        #expect(result.completed + result.cancelled == 80)
        #expect(result.firstToken.allSatisfy { $0 > 5 })
        #expect(result.prefixHitRatio > 0)
    }

    @Test func `two hundred seeds of faults lose nothing and leave nothing`() {
        for seed in UInt64(0)..<200 {
            var generator = SeededGenerator(seed: seed)
            var settings = Self.settings(3, seed: seed)
            for _ in 0..<(1 + generator.below(4)) {
                let kinds = EngineFault.Kind.allCases
                settings.faults.append(
                    EngineFault(
                        kinds[generator.below(kinds.count)], endpoint: generator.below(3),
                        at: .milliseconds(generator.below(4000)), lasts: .milliseconds(generator.below(5000))))
            }
            settings.jobs = Self.trace(seed: seed &+ 1000, 20).requests
            settings.timeToLive = .seconds(20)
            let result = Self.run(Self.trace(seed: seed, 40), settings)
            #expect(result.violations == [], "seed \(seed)")
            #expect(result.completed + result.cancelled + result.refused == 40, "seed \(seed)")
        }
    }

    @Test func `a shared prefix spares prefill where requests follow it`() {
        let trace = Self.trace(seed: 21, 300)
        let following = Self.run(trace, Self.settings(policy: "prefix-only"))
        let random = Self.run(trace, Self.settings(policy: "random"))
        #expect(following.prefixHitRatio > random.prefixHitRatio)
    }

    @Test func `an endpoint that is dead for the whole run gets nothing done`() {
        var settings = Self.settings()
        settings.faults = [EngineFault(.dies, endpoint: 1, at: .zero, lasts: .seconds(10_000))]
        let result = Self.run(Self.trace(seed: 31), settings)
        #expect(result.violations == [])
        #expect(result.endpointTokens[1] == 0)
        #expect(result.completed + result.cancelled == 80)
    }

    @Test func `jobs run in what requests leave`() {
        var settings = Self.settings()
        settings.jobs = Self.trace(seed: 41, 50).requests
        let result = Self.run(Self.trace(seed: 42, 200), settings)
        #expect(result.violations == [])
        #expect(result.jobsCompleted > 0)
    }

    @Test func `twice the endpoints bear about twice the speed`() throws {
        var traffic = SyntheticTrace()
        traffic.requests = 600
        traffic.startsPerSecond = 10
        let trace = traffic.generate(seed: 1)
        let one = try #require(Capacity.find(trace, endpoints: [.standard], seed: 1))
        let two = try #require(Capacity.find(trace, endpoints: [.standard, .standard], seed: 1))
        #expect((1.5...2.6).contains(two / one), "\(one) and \(two)")
    }

    @Test func `a run tells how far it is, and telling changes nothing`() {
        let trace = Self.trace(seed: 51)
        var heard: [RunProgress] = []
        var world = World(trace: trace, settings: Self.settings())
        let result = world.run(tellingEvery: 100) { heard.append($0) }
        #expect(heard.count == result.events / 100)
        #expect(
            zip(heard, heard.dropFirst()).allSatisfy { $0.share <= $1.share && $0.virtualSeconds <= $1.virtualSeconds })
        #expect(heard.allSatisfy { (0...1).contains($0.share) })
        #expect((heard.last?.share ?? 0) > 0.9)
        #expect(result.digest == Self.run(trace, Self.settings()).digest)
    }
}
