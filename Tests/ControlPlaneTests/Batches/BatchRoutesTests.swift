import ControlPlane
import DataPlane
import FleetTracking
import JobLifecycle
import JobStores
import SchedulerRuntime
import Synchronization
import Testing
import WireFormats

@Suite struct BatchRoutesTests {
    private func file(_ fixture: Fixture, tenant: String = "") async throws -> String {
        try #require(try await fixture.upload("{}", tenant: tenant)["id"]?.string)
    }

    @Test func createsWithEveryMemberThatClientsExpect() async throws {
        let fixture = Fixture()
        let id = try await file(fixture)
        let answer = try await fixture.createBatch(
            id,
            more: #","metadata":{"team":"a","run":"7"},"output_expires_after":{"anchor":"created_at","seconds":3600}"#)
        #expect(answer.status == 200)
        let batch = try answer.json
        #expect(
            batch.members?.map(\.name).sorted() == [
                "cancelled_at", "cancelling_at", "completed_at", "completion_window", "created_at", "endpoint",
                "error_file_id", "errors", "expired_at", "expires_at", "failed_at", "finalizing_at", "id",
                "in_progress_at", "input_file_id", "metadata", "model", "object", "output_file_id", "request_counts",
                "status", "usage",
            ])
        #expect(batch["object"]?.string == "batch")
        #expect(batch["status"]?.string == "validating")
        #expect(batch["created_at"]?.int == 1_800_000_000)
        #expect(batch["expires_at"]?.int == 1_800_086_400)
        #expect(batch["in_progress_at"]?.isNull == true)
        #expect(batch["request_counts"]?["total"]?.int == 0)
        #expect(batch["metadata"] == .object([.init("team", .string("a")), .init("run", .string("7"))]))
        #expect(fixture.store.state.withLock { $0.batches[0].outputLifetime } == .seconds(3_600))
    }

    @Test func faultsAreListedWithLineAndReason() async throws {
        let fixture = Fixture()
        let created = try await fixture.createBatch(try await file(fixture)).json
        fixture.store.state.withLock {
            $0.batches[0].state = .failed
            $0.batches[0].faults = [
                BatchFault(code: "duplicate_custom_id", message: "again", parameter: "custom_id", line: 3)
            ]
        }
        let id = try #require(created["id"]?.string)
        let errors = try await fixture.answer(ControlRequest("GET", "/v1/batches/\(id)")).json["errors"]
        #expect(errors?["object"]?.string == "list")
        let fault = try #require(errors?["data"]?.array?.first)
        #expect(fault["code"]?.string == "duplicate_custom_id")
        #expect(fault["line"]?.int == 3)
        #expect(fault["param"]?.string == "custom_id")
    }

    static let badBodies: [(String, String?)] = [
        (#"{"endpoint":"/v1/embeddings","completion_window":"24h"}"#, "input_file_id"),
        (#"{"input_file_id":7,"endpoint":"/v1/embeddings","completion_window":"24h"}"#, "input_file_id"),
        (#"{"input_file_id":"FILE","completion_window":"24h"}"#, "endpoint"),
        (#"{"input_file_id":"FILE","endpoint":"/v1/images","completion_window":"24h"}"#, "endpoint"),
        (#"{"input_file_id":"FILE","endpoint":"/v1/embeddings"}"#, "completion_window"),
        (#"{"input_file_id":"FILE","endpoint":"/v1/embeddings","completion_window":"0h"}"#, "completion_window"),
        (#"{"input_file_id":"FILE","endpoint":"/v1/embeddings","completion_window":"200h"}"#, "completion_window"),
        (#"{"input_file_id":"none","endpoint":"/v1/embeddings","completion_window":"24h"}"#, "input_file_id"),
        (#"{"input_file_id":"FILE","endpoint":"/v1/embeddings","completion_window":"24h","metadata":[]}"#, "metadata"),
        (
            #"{"input_file_id":"FILE","endpoint":"/v1/embeddings","completion_window":"24h","metadata":{"a":1}}"#,
            "metadata"
        ),
        (
            #"{"input_file_id":"FILE","endpoint":"/v1/embeddings","completion_window":"24h","output_expires_after":{"anchor":"created_at"}}"#,
            "output_expires_after"
        ),
        (#"{"input_file_id":"FILE","input_file_id":"FILE"}"#, nil), ("[]", nil), ("{", nil), ("", nil),
        ("{\"a\":\"\u{1}\"}", nil),
    ]

    @Test(arguments: badBodies.indices)
    func badBodiesAreRefusedAndNameTheField(index: Int) async throws {
        let fixture = Fixture()
        let id = try await file(fixture)
        let (json, parameter) = Self.badBodies[index]
        let text = json.split(separator: "FILE", omittingEmptySubsequences: false).joined(separator: id)
        let answer = try await fixture.answer(ControlRequest("POST", "/v1/batches", json: text))
        #expect(answer.status == 400)
        #expect(try answer.error.param == parameter)
        #expect(try answer.error.type == "invalid_request_error")
        #expect(fixture.store.state.withLock { $0.batches.isEmpty })
    }

    @Test func metadataLimitsAreOpenAIs() async throws {
        let fixture = Fixture()
        let id = try await file(fixture)
        let pairs = { (count: Int, key: Int, value: Int) -> String in
            let members = (0..<count).map { index in
                let name = String(repeating: "é", count: max(0, key - 2)) + String(index + 10)
                return "\"\(name)\":\"\(String(repeating: "ü", count: value))\""
            }
            return ",\"metadata\":{\(members.joined(separator: ","))}"
        }
        #expect(try await fixture.createBatch(id, more: pairs(16, 64, 512)).status == 200)
        for more in [pairs(17, 4, 4), pairs(1, 65, 4), pairs(1, 4, 513)] {
            #expect(try await fixture.createBatch(id, more: more).status == 400)
        }
    }

    @Test(arguments: [("24h", 86_400), ("90m", 5_400), ("45s", 45), ("1h30m", 5_400), ("2h5s", 7_205)])
    func windowsAreHoursMinutesSeconds(text: String, seconds: Int) async throws {
        let fixture = Fixture()
        let id = try await file(fixture)
        let json = #"{"input_file_id":"\#(id)","endpoint":"/v1/completions","completion_window":"\#(text)"}"#
        let batch = try await fixture.answer(ControlRequest("POST", "/v1/batches", json: json)).json
        #expect(batch["expires_at"]?.int == 1_800_000_000 + seconds)
        #expect(batch["completion_window"]?.string == text)
    }

    @Test(arguments: [
        "", "h", "24", "1m1h", "1h1h", "-1h", "1.5h", "24 h", "9223372036854775807h", "99999999999999999999s",
    ])
    func otherWindowsAreRefused(text: String) async throws {
        let fixture = Fixture()
        let id = try await file(fixture)
        let json = #"{"input_file_id":"\#(id)","endpoint":"/v1/completions","completion_window":"\#(text)"}"#
        #expect(try await fixture.answer(ControlRequest("POST", "/v1/batches", json: json)).status == 400)
    }

    @Test func pathsThatAPoolServesMayBeNamed() async throws {
        let fixture = Fixture()
        fixture.console.state.withLock {
            $0.directory.pools = [PoolEntry(id: .init(0), name: "p", allowedPaths: ["/v1/rerank"])]
        }
        let id = try await file(fixture)
        let json = #"{"input_file_id":"\#(id)","endpoint":"/v1/rerank","completion_window":"24h"}"#
        #expect(try await fixture.answer(ControlRequest("POST", "/v1/batches", json: json)).status == 200)
    }

    @Test func cancelIsIdempotentAndAFinalBatchAConflict() async throws {
        let fixture = Fixture()
        let id = try #require(try await fixture.createBatch(try await file(fixture)).json["id"]?.string)
        for _ in 0..<2 {
            let answer = try await fixture.answer(ControlRequest("POST", "/v1/batches/\(id)/cancel"))
            #expect(try answer.json["status"]?.string == "cancelling")
        }
        fixture.store.state.withLock { $0.batches[0].state = .completed }
        let answer = try await fixture.answer(ControlRequest("POST", "/v1/batches/\(id)/cancel"))
        #expect(answer.status == 409)
        #expect(answer.header("x-should-retry") == "false")
    }

    @Test func tenantsDoNotSeeEachOther() async throws {
        let fixture = Fixture()
        let mine = try await file(fixture, tenant: "a")
        let id = try #require(try await fixture.createBatch(mine, tenant: "a").json["id"]?.string)
        let other = Identity(tenant: "b")
        #expect(try await fixture.answer(ControlRequest("GET", "/v1/batches/\(id)", identity: other)).status == 404)
        let cancel = ControlRequest("POST", "/v1/batches/\(id)/cancel", identity: other)
        #expect(try await fixture.answer(cancel).status == 404)
        #expect(try await fixture.createBatch(mine, tenant: "b").status == 400)
        #expect(
            try await fixture.answer(ControlRequest("GET", "/v1/batches", identity: other)).json["data"]?.array == [])
    }

    @Test func pagesByTheLastIDNewestFirst() async throws {
        let fixture = Fixture()
        let input = try await file(fixture)
        var ids: [String] = []
        for _ in 0..<5 { ids.append(try #require(try await fixture.createBatch(input).json["id"]?.string)) }
        let first = try await fixture.answer(ControlRequest("GET", "/v1/batches?limit=3")).json
        #expect(first["data"]?.array?.compactMap { $0["id"]?.string } == [ids[4], ids[3], ids[2]])
        #expect(first["has_more"]?.bool == true)
        let second = try await fixture.answer(ControlRequest("GET", "/v1/batches?limit=3&after=\(ids[2])")).json
        #expect(second["data"]?.array?.compactMap { $0["id"]?.string } == [ids[1], ids[0]])
        #expect(second["has_more"]?.bool == false)
        #expect(try await fixture.answer(ControlRequest("GET", "/v1/batches?limit=101")).status == 400)
    }

    @Test func bodiesAreBoundedAndJSON() async throws {
        let fixture = Fixture { $0.jsonBytes = 64 }
        let long = "{\"a\":\"\(String(repeating: "x", count: 100))\"}"
        #expect(try await fixture.answer(ControlRequest("POST", "/v1/batches", json: long)).status == 413)
        let chunked = ControlRequest(
            "POST", "/v1/batches", headers: [("content-type", "application/json; charset=utf-8")],
            pieces: [Array(long.utf8)], isChunked: true)
        #expect(try await fixture.answer(chunked).status == 413)
        #expect(try await fixture.answer(ControlRequest("POST", "/v1/batches", pieces: [[123, 125]])).status == 415)
    }
}
