import FleetTracking
import SchedulerRuntime
import Testing

@Suite struct NamesTests {
    @Test func namesKeepTheirNumbers() {
        let names = Names()
        let first = names.model("llama")
        let second = names.model("qwen")
        #expect(first != second)
        #expect(names.model("llama") == first)
        #expect(names.name(of: second) == "qwen")
    }

    @Test func theTenantOfEverybodyIsZero() {
        let names = Names()
        #expect(names.tenant("") == .everybody)
        #expect(names.tenant("a") != .everybody)
        #expect(names.name(of: TenantID(77)) == "other")
    }
}
