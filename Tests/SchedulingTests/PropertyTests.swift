import FleetTracking
import Testing

@Suite struct PropertyTests {
    @Test(arguments: 0..<20)
    func `whatever happens every work ends once and no rule is broken`(_ group: UInt64) {
        var forwards = 0
        for seed in (group * 100)..<(group * 100 + 100) {
            var world = RandomWorld(seed: seed)
            world.run(steps: 150)
            let violations = world.violations
            #expect(violations.isEmpty, "seed \(seed)")
            forwards += world.forwards
        }
        #expect(forwards > 1500, "the worlds are too quiet to show anything")
    }

    @Test(arguments: 0..<10)
    func `the same holds in pools too large to look at every endpoint`(_ seed: UInt64) {
        var world = RandomWorld(seed: seed, size: .large)
        world.run(steps: 400)
        let (violations, forwards) = (world.violations, world.forwards)
        #expect(violations.isEmpty, "seed \(seed)")
        #expect(forwards > 40, "the world is too quiet to show anything")
    }

    @Test func `the same seed gives the same decisions, another seed others`() {
        var digests: [StableDigest] = []
        for seed in [11, 12, 13, 11, 12, 13] as [UInt64] {
            var world = RandomWorld(seed: seed)
            world.run(steps: 300)
            digests.append(world.digest)
        }
        #expect(Array(digests[0..<3]) == Array(digests[3..<6]))
        #expect(Set(digests.map(\.value)).count == 3)
    }
}
