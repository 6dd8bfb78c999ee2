import FleetTracking
import Testing

@testable import DataPlane

@Suite struct DeadlineWheelTests {
    final class Target: Deadlined {
        var passedAt: [Instant] = []
        func deadlinePassed(now: Instant) { passedAt.append(now) }
    }

    private func slot(_ target: Target) -> DeadlineSlot {
        let slot = DeadlineSlot()
        slot.target = target
        return slot
    }

    private func run(_ wheel: inout DeadlineWheel, to end: Duration, step: Duration = .milliseconds(100)) {
        var now = Duration.zero
        while now < end {
            now += step
            let instant = Instant.zero + now
            for slot in wheel.advance(to: instant) { slot.takeDue()?.deadlinePassed(now: instant) }
        }
    }

    @Test(arguments: [1, 99, 100, 101, 5_000, 102_300, 102_400, 250_000])
    func tellsOnceAndNeverEarly(_ milliseconds: Int) {
        let target = Target()
        var wheel = DeadlineWheel(now: .zero)
        let deadline = Instant.zero + .milliseconds(milliseconds)
        wheel.set(slot(target), deadline)
        run(&wheel, to: .seconds(400))
        #expect(target.passedAt.count == 1)
        if let passed = target.passedAt.first {
            #expect(passed >= deadline && passed - deadline <= .milliseconds(200))
        }
    }

    @Test func aDeadlineMovesBothWays() {
        let (later, earlier, never) = (Target(), Target(), Target())
        var wheel = DeadlineWheel(now: .zero)
        let slots = [slot(later), slot(earlier), slot(never)]
        for slot in slots { wheel.set(slot, Instant.zero + .seconds(10)) }
        wheel.set(slots[0], Instant.zero + .seconds(30))
        wheel.set(slots[1], Instant.zero + .seconds(2))
        wheel.set(slots[2], .distantFuture)
        run(&wheel, to: .seconds(60))
        #expect(later.passedAt.map { ($0 - Instant.zero).seconds.rounded(.down) } == [30])
        #expect(earlier.passedAt.map { ($0 - Instant.zero).seconds.rounded(.down) } == [2])
        #expect(never.passedAt.isEmpty)
    }

    @Test func aClosedConnectionIsForgotten() {
        let target = Target()
        var wheel = DeadlineWheel(now: .zero)
        let slot = slot(target)
        wheel.set(slot, Instant.zero + .seconds(1))
        slot.target = nil
        run(&wheel, to: .seconds(5))
        #expect(target.passedAt.isEmpty)
    }

    /// An idle connection is due in the sweep in which another's end hands it a request.
    @Test(arguments: [Instant.zero + .seconds(30), .distantFuture])
    func aSlotThatIsSetAgainInTheSweepIsNotTold(_ renewed: Instant) {
        let (first, second) = (Target(), Target())
        var wheel = DeadlineWheel(now: .zero)
        let slots = [slot(first), slot(second)]
        for slot in slots { wheel.set(slot, Instant.zero + .seconds(1)) }
        let due = wheel.advance(to: Instant.zero + .seconds(2))
        #expect(due.count == 2)
        due[0].takeDue()?.deadlinePassed(now: Instant.zero + .seconds(2))
        wheel.set(slots[1], renewed)
        #expect(due[1].takeDue() == nil)
        #expect(first.passedAt.count == 1 && second.passedAt.isEmpty)
        run(&wheel, to: .seconds(100))
        #expect(second.passedAt.count == (renewed == .distantFuture ? 0 : 1))
        #expect(first.passedAt.count == 1)
    }

    @Test func aLoopThatStoodStillTellsEverythingDue() {
        let targets = (0..<50).map { _ in Target() }
        var wheel = DeadlineWheel(now: .zero)
        for (index, target) in targets.enumerated() { wheel.set(slot(target), Instant.zero + .seconds(index)) }
        run(&wheel, to: .seconds(1_000), step: .seconds(500))
        #expect(targets.allSatisfy { $0.passedAt == [Instant.zero + .seconds(500)] })
    }
}
