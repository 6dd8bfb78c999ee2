import ControlPlane
import DataPlane
import Foundation
import JobLifecycle
import JobStores
import Logging
import Testing
import WireFormats

/// The routes over the store that the gateway uses, in a folder of its own.
@Suite struct DurableStoreTests {
    private func withRoutes(_ body: (any ControlSurface, SQLiteJobStore) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "neap-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try SQLiteJobStore.open(path: folder)
        let routes = ControlRoutes(
            .init(
                console: ConsoleFake(), store: store, build: BuildInfo(version: "1"),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { Fixture.now }))
        try await body(routes.surface, store)
        await store.close()
    }

    @Test func aFileAndABatchFromUploadToCancelAndDelete() async throws {
        try await withRoutes { surface, _ in
            let fields = [
                ("expires_after[anchor]", "created_at"), ("purpose", "batch"), ("expires_after[seconds]", "3600"),
            ]
            let content = Array(String(repeating: "{\"a\":1}\r\n", count: 20_000).utf8)
            let form = Form(fields: fields, file: ("in.jsonl", content), fileFirst: true)
            let file = try await surface.answer(form.request(pieceBytes: 4_096)).json
            let id = try #require(file["id"]?.string)
            #expect(file["bytes"]?.int == content.count)
            #expect(file["expires_at"]?.int == 1_800_003_600)
            let download = try await surface.answer(ControlRequest("GET", "/v1/files/\(id)/content"))
            #expect(download.bytes == content)
            #expect(download.pieces.allSatisfy { $0.count <= 256 * 1_024 })

            let create =
                #"{"input_file_id":"\#(id)","endpoint":"/v1/embeddings","completion_window":"24h","metadata":{"a":"b"}}"#
            let batch = try await surface.answer(ControlRequest("POST", "/v1/batches", json: create)).json
            let batchID = try #require(batch["id"]?.string)
            #expect(batch["status"]?.string == "validating")
            #expect(try await surface.answer(ControlRequest("GET", "/v1/batches/\(batchID)")).json == batch)
            let inUse = try await surface.answer(ControlRequest("DELETE", "/v1/files/\(id)"))
            #expect(inUse.status == 409)
            let cancelled = try await surface.answer(ControlRequest("POST", "/v1/batches/\(batchID)/cancel")).json
            #expect(cancelled["status"]?.string == "cancelling")
            #expect(
                try await surface.answer(ControlRequest("GET", "/v1/batches?after=\(batchID)")).json["data"]?.array
                    == [])
            #expect(try await surface.answer(ControlRequest("GET", "/v1/batches?after=nothing")).status == 404)
        }
    }

    private static let stamps = [
        "created_at", "expires_at", "in_progress_at", "finalizing_at", "completed_at", "failed_at", "expired_at",
        "cancelling_at", "cancelled_at",
    ]

    /// The stamps that are set, as seconds after the creation.
    private func times(_ batch: JSONValue) throws -> [String: Int] {
        let created = try #require(batch["created_at"]?.int)
        var set: [String: Int] = [:]
        for name in Self.stamps {
            let value = try #require(batch[name])
            if !value.isNull { set[name] = try #require(value.int) - created }
        }
        return set
    }

    /// A batch of two lines, the first of which is claimed and answered.
    private func begin(_ store: SQLiteJobStore, window: Duration = .seconds(3_600)) async throws -> (BatchID, [Job]) {
        let draft = BatchDraft(
            tenant: "", endpoint: "/v1/embeddings", inputFile: try await input(store), window: window)
        let batch = try await store.createBatch(draft, now: Fixture.now).id
        let lines = (0..<2).map {
            JobLine(
                index: $0, customID: "\($0)", model: batch.text, offset: 0, length: 0, cost: JobCost(promptTokens: 1))
        }
        try await store.insertLines(lines, batch: batch)
        _ = try await store.admit(batch, now: Fixture.now + .seconds(1))
        let jobs = try await store.claim(ClaimRequest(models: [batch.text], limit: 2)).jobs
        let record = JobRecord(
            state: .succeeded, response: JobResponse(status: 200, requestID: "r", body: [0x7b, 0x7d]))
        let change = JobChange(job: jobs[0].id, lease: jobs[0].lease, step: .ended(record))
        _ = try await store.apply([change], now: Fixture.now + .seconds(2))
        return (batch, jobs)
    }

    @Test func everyEndOfABatchHasItsStatusAndTimes() async throws {
        try await withRoutes { surface, store in
            _ = try await store.recover(now: Fixture.now)
            let later = { (seconds: Int64) in Fixture.now + .seconds(seconds) }
            func object(_ id: BatchID) async throws -> JSONValue {
                try await surface.answer(ControlRequest("GET", "/v1/batches/\(id.text)")).json
            }
            let running = ["created_at": 0, "expires_at": 3_600, "in_progress_at": 1]

            let (whole, jobs) = try await begin(store)
            #expect(try times(await object(whole)) == running)
            let refused = JobRecord(state: .failed, fault: JobFault(code: "c", message: "m"))
            let end = JobChange(job: jobs[1].id, lease: jobs[1].lease, step: .ended(refused))
            _ = try await store.apply([end], now: later(3))
            let finalizing = try await object(whole)
            #expect(finalizing["status"]?.string == "finalizing")
            #expect(try times(finalizing) == running.merging(["finalizing_at": 3]) { $1 })
            _ = try await store.publish(whole, now: later(4))
            let completed = try await object(whole)
            #expect(completed["status"]?.string == "completed")
            #expect(try times(completed) == running.merging(["finalizing_at": 3, "completed_at": 4]) { $1 })
            #expect(completed["request_counts"]?["completed"]?.int == 1)
            #expect(completed["request_counts"]?["failed"]?.int == 1)
            #expect(completed["output_file_id"]?.string?.hasPrefix("file-") == true)
            #expect(completed["error_file_id"]?.string?.hasPrefix("file-") == true)

            let (late, _) = try await begin(store, window: .seconds(60))
            _ = try await store.closeWindows(now: later(60))
            _ = try await store.publish(late, now: later(61))
            let expired = try await object(late)
            #expect(expired["status"]?.string == "expired")
            let ends = ["expires_at": 60, "finalizing_at": 60, "expired_at": 61]
            #expect(try times(expired) == running.merging(ends) { $1 })

            let (unwanted, _) = try await begin(store)
            let cancel = ControlRequest("POST", "/v1/batches/\(unwanted.text)/cancel")
            #expect(try await surface.answer(cancel).json["status"]?.string == "cancelling")
            _ = try await store.publish(unwanted, now: later(9))
            let cancelled = try await object(unwanted)
            #expect(cancelled["status"]?.string == "cancelled")
            #expect(try times(cancelled) == running.merging(["cancelling_at": 0, "cancelled_at": 9]) { $1 })
            #expect(cancelled["request_counts"]?["total"]?.int == 2)

            let draft = BatchDraft(tenant: "", endpoint: "/v1/embeddings", inputFile: try await input(store))
            let bad = try await store.createBatch(draft, now: Fixture.now).id
            let fault = BatchFault(code: "invalid_json_line", message: "m", parameter: "body", line: 7)
            _ = try await store.reject(bad, faults: [fault], now: later(5))
            let failed = try await object(bad)
            #expect(failed["status"]?.string == "failed")
            #expect(try times(failed)["failed_at"] == 5)
            let entry = failed["errors"]?["data"]?.array?.first
            #expect(failed["errors"]?["object"]?.string == "list")
            #expect(entry?["code"]?.string == "invalid_json_line" && entry?["line"]?.int == 7)
            #expect(entry?["param"]?.string == "body" && entry?["message"]?.string == "m")
        }
    }

    private func input(_ store: SQLiteJobStore) async throws -> FileID {
        let upload = try await store.beginFile(FileDraft(tenant: "", filename: "in", purpose: .batch))
        return try await upload.finish(now: Fixture.now).id
    }

    @Test func anAbandonedUploadLeavesNoFile() async throws {
        try await withRoutes { surface, _ in
            var form = Form(fields: [("purpose", "vision")], file: ("a", Array(repeating: 65, count: 10_000)))
            form.fileFirst = true
            let refused = try await surface.answer(form.request())
            #expect(refused.status == 400)
            let list = try await surface.answer(ControlRequest("GET", "/v1/files")).json
            #expect(list["data"]?.array == [])
        }
    }

    @Test func aClosedStoreIs503() async throws {
        try await withRoutes { surface, store in
            await store.close()
            for path in ["/v1/files", "/v1/batches", "/v1/files/file-1"] {
                let answer = try await surface.answer(ControlRequest("GET", path))
                #expect(answer.status == 503)
            }
            let upload = try await surface.answer(Form(fields: [("purpose", "batch")], file: ("a", [1])).request())
            #expect(upload.status == 503)
        }
    }
}
