import JobLifecycle
import JobStores
import Testing

@Suite("Claims and the arrivals of their jobs", .timeLimit(.minutes(2)))
struct ClaimOrderTests {
    @Test("the end of a claim is told behind the arrivals that it brought")
    func endBehindArrivals() async throws {
        let stage = try FeederStage()
        try await stage.run { stage in
            let done = try await stage.end(of: try await stage.createBatch(lines: 20))
            #expect(done.counts == BatchCounts(total: 20, completed: 20))
        }
        #expect(!stage.scheduler.claims.all.isEmpty)
        #expect(stage.scheduler.earlyEnds == 0)
    }
}
