import FleetTracking
import FlowControl
import NIOCore
import NIOPosix
import SchedulerRuntime
import Scheduling
import Synchronization
import Testing

/// Keeps what it is given; optionally submits more from inside `receive`.
private final class RecordingHome: WorkHome {
    let seen = Mutex<[[WorkID]]>([])
    let depth = Mutex((now: 0, most: 0))
    let react: @Sendable (WorkEffect) -> Void

    init(react: @escaping @Sendable (WorkEffect) -> Void = { _ in }) { self.react = react }

    func receive(_ effects: [WorkEffect]) {
        depth.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
        seen.withLock { $0.append(effects.map(\.work)) }
        for effect in effects { react(effect) }
        depth.withLock { $0.now -= 1 }
    }

    var works: [WorkID] { seen.withLock { $0.flatMap { $0 } } }
}

/// The works submitted for each loop, in the order in which the scheduler saw them.
private final class SubmittedOrder: Sendable {
    let order: Mutex<[[WorkID]]>
    init(loops: Int) { order = Mutex(Array(repeating: [], count: loops)) }
}

extension WorkEffect {
    fileprivate var work: WorkID {
        switch self {
        case .forward(let work, _, _), .refuse(let work, _, _): work
        }
    }
}

/// Answers every `cancelled(work)` with a `refuse` of the same work.
private let echo: SchedulerHost.Script = { event, _, effects in
    if case .cancelled(let work) = event { effects.append(.refuse(work, .withdrawn, retryAfter: nil)) }
}

private func onLoops(_ count: Int, _ body: ([any EventLoop]) async throws -> Void) async throws {
    let group = MultiThreadedEventLoopGroup(numberOfThreads: count)
    try await body(Array(group.makeIterator()))
    try await group.shutdownGracefully()
}

@Suite struct SchedulerHostTests {
    @Test func effectsArriveBeforeSubmitReturnsOnTheHomeLoop() async throws {
        try await onLoops(1) { loops in
            let host = SchedulerHost(loops: loops, script: echo)
            let home = RecordingHome()
            host.attach(home, loop: 0)
            let seen = try await loops[0].submit {
                let work = host.makeWorkID(loop: 0)
                host.submit(.cancelled(work))
                return home.works == [work]
            }.get()
            #expect(seen)
        }
    }

    @Test func aHomeThatSubmitsIsNeverCalledInsideItself() async throws {
        try await onLoops(1) { loops in
            let host = SchedulerHost(loops: loops, script: echo)
            let rounds = Mutex(0)
            let home = RecordingHome { _ in
                let more = rounds.withLock { count in
                    count += 1
                    return count < 50
                }
                if more { host.submit(.cancelled(host.makeWorkID(loop: 0))) }
            }
            host.attach(home, loop: 0)
            try await loops[0].submit { host.submit(.cancelled(host.makeWorkID(loop: 0))) }.get()
            #expect(home.works.count == 50)
            #expect(home.depth.withLock { $0.most } == 1)
        }
    }

    @Test func effectsOfOtherLoopsKeepDecisionOrderAndNoneIsLost() async throws {
        try await onLoops(4) { loops in
            let host = SchedulerHost(loops: loops, script: echo)
            let homes = loops.map { _ in RecordingHome() }
            for (index, home) in homes.enumerated() { host.attach(home, loop: index) }
            let submitted = SubmittedOrder(loops: loops.count)
            let perThread = 2_000
            try await withThrowingTaskGroup(of: Void.self) { group in
                for loop in loops {
                    group.addTask {
                        try await loop.submit {
                            for turn in 0..<perThread {
                                let index = turn % homes.count
                                submitted.order.withLock { order in
                                    let work = host.makeWorkID(loop: index)
                                    order[index].append(work)
                                    host.submit(.cancelled(work))
                                }
                            }
                        }.get()
                    }
                }
                try await group.waitForAll()
            }
            // Whatever was queued on a loop before this hop has run after it; twice, for a drain that was rescheduled.
            for loop in loops + loops { try await loop.submit {}.get() }
            for (index, home) in homes.enumerated() {
                #expect(home.works == submitted.order.withLock { $0[index] })
                #expect(home.depth.withLock { $0.most } == 1)
            }
        }
    }

    @Test func claimsReachTheirReceiverEvenWhenTheyCameFirst() async throws {
        try await onLoops(1) { loops in
            let host = SchedulerHost(loops: loops) { event, _, effects in
                if case .backlog(let pool, let model, let pending) = event {
                    effects.append(.claimJobs(pool, model, limit: pending))
                }
            }
            let claims = Mutex<[Int]>([])
            host.submit(.backlog(PoolID(0), ModelID(0), pending: 3))
            host.receiveClaims { _, _, limit in claims.withLock { $0.append(limit) } }
            host.submit(.backlog(PoolID(0), ModelID(0), pending: 5))
            #expect(claims.withLock { $0 } == [3, 5])
        }
    }

    @Test func anEarlierWakeReplacesALaterOneAndTimeNeverGoesBack() async throws {
        try await onLoops(1) { loops in
            let times = Mutex<[Int64]>([])
            let fired = loops[0].makePromise(of: Void.self)
            let host = SchedulerHost(loops: loops) { event, now, effects in
                times.withLock { $0.append(now.nanoseconds) }
                switch event {
                case .backlog(_, _, let milliseconds): effects.append(.wake(at: now + .milliseconds(milliseconds)))
                case .timerFired: fired.succeed()
                default: break
                }
            }
            host.submit([
                .backlog(PoolID(0), ModelID(0), pending: 3_600_000), .backlog(PoolID(0), ModelID(0), pending: 1),
            ])
            try await fired.futureResult.get()
            let seen = times.withLock { $0 }
            #expect(seen == seen.sorted())
            host.stop()
        }
    }

    @Test func everySubmitCountsOnceInTheHoldTimes() async throws {
        try await onLoops(1) { loops in
            let host = SchedulerHost(loops: loops, script: echo)
            for _ in 0..<10 { host.submit(.timerFired) }
            #expect(host.holdTimes().counts.reduce(0, +) == 10)
        }
    }
}
