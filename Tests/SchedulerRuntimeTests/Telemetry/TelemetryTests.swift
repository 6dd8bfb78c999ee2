import FleetTracking
import FlowControl
import Foundation
import SchedulerRuntime
import Scheduling
import Testing

@Suite struct TelemetryTests {
    private func directory() -> DirectoryHolder {
        let pool = PoolEntry(id: PoolID(0), name: "main", allowedPaths: [])
        let endpoint = EndpointEntry(
            id: EndpointID(0), pool: PoolID(0), url: "http://127.0.0.1:8000", host: "127.0.0.1", port: 8000)
        return DirectoryHolder(Directory(pools: [pool], endpoints: [endpoint], models: [:]))
    }

    private func record(_ model: String = "m", tenant: String = "t") -> RequestRecord {
        var record = RequestRecord(
            work: nil, requestID: "r", band: .realtime, method: "POST", path: "/v1/chat/completions",
            outcome: .completed, arrivedAt: .zero, endedAt: Instant(nanoseconds: 1_000_000_000))
        record.pool = PoolID(0)
        record.model = model
        record.tenant = tenant
        record.status = 200
        record.streamed = true
        record.firstByteAt = Instant(nanoseconds: 100_000_000)
        record.promptTokens = 10
        record.outputTokens = 91
        record.cachedTokens = 4
        record.bytesIn = 1000
        record.bytesOut = 2000
        return record
    }

    private func page(_ telemetry: Telemetry) -> String {
        String(decoding: MetricsPage.render(telemetry.families()), as: UTF8.self)
    }

    @Test func thePageIsTheGoldenOne() throws {
        let telemetry = Telemetry(shards: 2, directory: directory())
        telemetry.record(record(), loop: 0)
        telemetry.record(record(), loop: 1)
        var refused = record()
        refused.pool = nil
        refused.model = "whatever a client wrote"
        refused.status = 404
        refused.outcome = .modelNotFound
        refused.refusal = "model_not_found"
        refused.firstByteAt = nil
        refused.promptTokens = nil
        telemetry.record(refused, loop: 1)
        telemetry.observe(.queueWait(.realtime, PoolID(0), .milliseconds(3)))
        telemetry.observe(.retried(PoolID(0), .connect))
        telemetry.observe(.ejected(EndpointID(0)))
        telemetry.observe(.prefixMatch(PoolID(0), promptTokens: 100, matchedTokens: 60))
        telemetry.observe(.firstToken(PoolID(0), predicted: 20, took: 40))
        telemetry.gaps[0].record(400_000, .realtime)
        telemetry.gaps[1].record(10_000_000, .realtime)
        telemetry.gaps[1].record(10_000_001, .realtime)
        telemetry.gaps[0].record(60_000_000_000, .async)
        telemetry.addSource { GaugeSources.build(version: "1.2.3") }
        let golden = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Golden/metrics.txt")
        let found = page(telemetry)
        let expected = try? String(contentsOf: golden, encoding: .utf8)
        #expect(found == expected, "the page is now:\n\(found)")
    }

    /// Prometheus refuses a page on which the same series stands twice.
    @Test func anEndpointThatCameBackHasOneSeries() {
        let pool = PoolEntry(id: PoolID(0), name: "main", allowedPaths: [])
        let endpoints = (0..<2).map {
            EndpointEntry(id: EndpointID($0), pool: PoolID(0), url: "http://h:1", host: "h", port: 1)
        }
        let directory = DirectoryHolder(Directory(pools: [pool], endpoints: endpoints, models: [:]))
        let telemetry = Telemetry(shards: 1, directory: directory)
        for index in [0, 0, 1] { telemetry.observe(.ejected(EndpointID(index))) }
        for index in [0, 1] { telemetry.observe(.restored(EndpointID(index))) }
        let series = page(telemetry).split(separator: "\n").filter { $0.hasPrefix("neap_endpoint_") }
        let labels = #"{pool="main",endpoint="http://h:1"}"#
        #expect(
            series == ["neap_endpoint_ejections_total\(labels) 3", "neap_endpoint_restorations_total\(labels) 2"])
    }

    @Test func laterModelsAndTenantsBecomeOther() {
        let telemetry = Telemetry(shards: 1, directory: directory(), labelLimit: 2)
        for number in 0..<5 { telemetry.record(record("m\(number)", tenant: "t\(number)"), loop: 0) }
        let text = page(telemetry)
        #expect(text.contains(#"model="m1""#))
        #expect(!text.contains(#"model="m2""#))
        #expect(
            text.contains(
                #"neap_requests_total{pool="main",model="other",band="realtime",outcome="completed",status="200"} 3"#))
        #expect(text.contains(#"neap_tenant_requests_total{tenant="other",band="realtime"} 3"#))
    }

    @Test func refusalsAreCountedByReasonOverAllLoops() {
        let telemetry = Telemetry(shards: 2, directory: directory())
        for (loop, reason) in ["missing_model", "body_too_large", "missing_model", ""].enumerated() {
            var record = record()
            record.refusal = reason
            record.status = reason == "missing_model" ? 400 : 413
            telemetry.record(record, loop: loop)
        }
        let family = telemetry.families().first { $0.definition.name == "neap_refusals_total" }
        #expect(
            family?.series == [MetricSeries(["body_too_large", "413"], 1), MetricSeries(["missing_model", "400"], 2)])
    }

    @Test func everyDefinitionKeepsTheNamingRules() {
        let telemetry = Telemetry(shards: 1, directory: directory())
        telemetry.record(record(), loop: 0)
        telemetry.addSource { GaugeSources.process() + GaugeSources.lockHold(HoldTimes()) }
        let reserved = ["_bucket", "_count", "_sum"]
        for definition in telemetry.families().map(\.definition) {
            #expect((definition.kind == .counter) == definition.name.hasSuffix("_total"), "\(definition.name)")
            #expect(!reserved.contains { definition.name.hasSuffix($0) }, "\(definition.name)")
            #expect(!definition.name.contains("milliseconds"), "\(definition.name)")
            #expect(definition.name.hasPrefix("neap_") || definition.name.hasPrefix("process_"))
        }
    }

    @Test func seriesOfOneFamilyAreNeverTwice() {
        let telemetry = Telemetry(shards: 3, directory: directory(), labelLimit: 3)
        for number in 0..<30 { telemetry.record(record("m\(number % 7)", tenant: "t\(number % 5)"), loop: number) }
        for family in telemetry.families() {
            let labels = family.series.map(\.labels)
            #expect(Set(labels).count == labels.count, "\(family.definition.name)")
        }
        let total = telemetry.families().first { $0.definition.name == "neap_requests_total" }?.series
            .reduce(0.0) { sum, series in if case .number(let value) = series.value { sum + value } else { sum } }
        #expect(total == 30)
    }

    @Test func theProcessTellsOfItself() {
        let names = GaugeSources.process().map(\.definition.name)
        #expect(names.contains("process_resident_memory_bytes"))
        #expect(names.contains("process_start_time_seconds"))
        #expect(names.contains("process_open_fds"))
    }
}
