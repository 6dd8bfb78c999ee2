import FleetTracking
import NIOCore
import SchedulerRuntime
import Scheduling
import Synchronization

/// Job attempts on the data path: placed on the loop that their work id names.
final class JobRelay: JobPort {
    private let relays: [LoopRelay]
    private let services: RelayServices
    private let turn = Atomic<Int>(0)

    init(relays: [LoopRelay], services: RelayServices) {
        self.relays = relays
        self.services = services
    }

    func makeWorkID() -> WorkID {
        let place = turn.wrappingAdd(1, ordering: .relaxed).oldValue
        return services.host.makeWorkID(loop: Int(UInt(bitPattern: place) % UInt(relays.count)))
    }

    func place(
        _ attempt: JobAttempt, onGrant: @escaping @Sendable (WorkID, EndpointID) -> Void,
        onAnswer: @escaping @Sendable (JobAnswer) -> Void
    ) {
        let relay = relays[attempt.arrival.work.home]
        // Never at once, so that the caller may hold a lock that its callbacks take.
        relay.eventLoop.execute {
            let carrier = JobCarrier(attempt, onGrant: onGrant, onAnswer: onAnswer)
            carrier.begin(on: relay)
        }
    }

    func arrivalsSubmitted() async {
        // A loop runs what it was given in order; one that is shut down submits nothing more.
        for relay in relays { try? await relay.eventLoop.submit {}.get() }
    }

    func withdraw(_ work: WorkID) {
        let relay = relays[work.home]
        relay.eventLoop.execute { relay.exchange(work)?.withdraw() }
    }
}
