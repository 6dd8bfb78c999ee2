import DataPlane
import FleetTracking
import FlowControl
import JobLifecycle
import NIOCore
import Testing

@testable import JobDispatching

@Suite("The feeder's inbox")
struct FeederInboxTests {
    private func answer(_ serial: UInt64, bytes: Int) -> FeederInbox.Step {
        let body = ByteBuffer(repeating: 0x20, count: bytes)
        return .answered(JobAnswer(work: WorkID(home: 0, serial: serial), outcome: .completed, status: 200, body: body))
    }

    @Test("steps are taken in pieces by number and by bytes, and always at least one")
    func pieces() {
        let inbox = FeederInbox()
        for serial in 1...3 as ClosedRange<UInt64> { inbox.add(answer(serial, bytes: 100)) }
        inbox.add(.granted(WorkID(home: 0, serial: 4)))
        inbox.add(answer(5, bytes: 1_000))
        #expect(inbox.takeSteps(10, bytes: 150).count == 2)
        #expect(inbox.takeSteps(1, bytes: 150).count == 1)
        #expect(inbox.takeSteps(10, bytes: 1).count == 2)
        #expect(inbox.takeSteps(10, bytes: 1).isEmpty)
    }

    @Test("a batch that is set aside against an old directory is validated again at once")
    func oldDirectory() {
        let inbox = FeederInbox()
        let (now, batch) = (WallTime(seconds: 100), BatchID("b"))
        let version = inbox.directoryVersion
        inbox.setAside(batch, until: now + .seconds(10), version: version)
        #expect(inbox.nextValidation() == nil)
        inbox.decide(at: now)
        #expect(inbox.nextValidation() == nil)
        inbox.decide(at: now + .seconds(10))
        #expect(inbox.nextValidation() == batch)
        inbox.setAside(batch, until: now, version: version)
        inbox.directoryChanged()
        #expect(inbox.nextValidation() == batch)
        inbox.setAside(batch, until: now, version: version)
        #expect(inbox.nextValidation() == batch)
        #expect(inbox.nextValidation() == nil)
    }
}
