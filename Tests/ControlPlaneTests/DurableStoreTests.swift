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
