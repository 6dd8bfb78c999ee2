import DataPlane
import FleetTracking

/// Tells the scheduler of every placement before the engines see it, as the real one knows from the arrival.
struct OccupyingPort: JobPort {
    let port: FakePort
    let scheduler: FakeScheduler

    func makeWorkID() -> WorkID { port.makeWorkID() }

    func place(
        _ attempt: JobAttempt, onGrant: @escaping @Sendable (WorkID, EndpointID) -> Void,
        onAnswer: @escaping @Sendable (JobAnswer) -> Void
    ) {
        scheduler.occupy()
        port.place(attempt, onGrant: onGrant, onAnswer: onAnswer)
    }

    func arrivalsSubmitted() async {
        await port.arrivalsSubmitted()
        scheduler.arrivalsCame()
    }

    func withdraw(_ work: WorkID) { port.withdraw(work) }
}
