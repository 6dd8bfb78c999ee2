import JobLifecycle
import Testing

@Suite("Wall time")
struct WallTimeTests {
    @Test("adds, subtracts and saturates")
    func arithmetic() {
        let time = WallTime(seconds: 1_700_000_000)
        #expect((time + .milliseconds(1500)).milliseconds == 1_700_000_001_500)
        #expect((time + .milliseconds(1500)).seconds == 1_700_000_001)
        #expect((time + .seconds(3)) - time == .seconds(3))
        #expect(WallTime(seconds: .max) == .distantFuture)
        #expect(time + .seconds(Int64.max) == .distantFuture)
        #expect(WallTime.distantFuture - WallTime(milliseconds: -1) == .milliseconds(Int64.max))
    }
}
