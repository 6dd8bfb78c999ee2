import Foundation
import JobLifecycle
import JobStores
import Testing

/// What a deep queue costs. Off unless `NEAP_DEPTH` names a number of lines; prints figures for the benchmark notes.
@Suite("A deep queue", .enabled(if: ProcessInfo.processInfo.environment["NEAP_DEPTH"] != nil))
struct SQLiteDepthTests {
    @Test("accepts, claims and lists")
    func depth() async throws {
        let depth = Int(ProcessInfo.processInfo.environment["NEAP_DEPTH"] ?? "") ?? 100_000
        let fixture = SQLiteFixture()
        var store = try await fixture.open()
        _ = try await store.recover(now: Time.start)
        let clock = ContinuousClock()
        let batches = 50
        let accept = try await clock.measure {
            for index in 0..<batches {
                let batch = try await Steps.create(store, now: Time.at(Int64(index)))
                for start in stride(from: 0, to: depth / batches, by: 2000) {
                    let range = start..<min(depth / batches, start + 2000)
                    try await store.insertLines(Steps.lines(range), batch: batch.id)
                }
                _ = try await store.admit(batch.id, now: Time.at(Int64(index)))
            }
        }
        var claims: [Duration] = []
        var lists: [Duration] = []
        for round in 0..<1000 {
            var jobs: [Job] = []
            claims.append(try await clock.measure { jobs = try await Steps.claim(store, 16) })
            #expect(jobs.count == 16)
            _ = try await store.apply(
                jobs.flatMap { [Steps.change($0, .granted), Steps.success($0)] }, now: Time.at(100))
            if round % 10 == 0 {
                lists.append(try await clock.measure { _ = try await store.batches(BatchQuery(tenant: "")) })
            }
        }
        await store.close()
        let restart = try await clock.measure {
            store = try await fixture.open()
            _ = try await store.recover(now: Time.at(200))
            _ = try await Steps.claim(store, 1)
        }
        await store.close()
        print(
            "depth \(depth): accepted \(Int(Double(depth) / (Double(accept.components.seconds) + 1e-9))) lines/s,",
            "claim p50 \(claims.sorted()[500]) p99 \(claims.sorted()[989]), list p99 \(lists.sorted()[98]),",
            "restart \(restart)")
    }
}
