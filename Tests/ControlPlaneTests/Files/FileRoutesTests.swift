import ControlPlane
import DataPlane
import JobLifecycle
import SchedulerRuntime
import Synchronization
import Testing
import WireFormats

@Suite struct FileRoutesTests {
    @Test func uploadsRetrievesListsDownloadsDeletes() async throws {
        let fixture = Fixture()
        let content = (0..<500).map { "{\"custom_id\":\"\($0)\"}\r\n" }.joined()
        let file = try await fixture.upload(content, filename: "dir/in.jsonl")
        let id = try #require(file["id"]?.string)
        #expect(file["object"]?.string == "file")
        #expect(file["bytes"]?.int == content.utf8.count)
        #expect(file["filename"]?.string == "in.jsonl")
        #expect(file["purpose"]?.string == "batch")
        #expect(file["status"]?.string == "processed")
        #expect(file["created_at"]?.int == 1_800_000_000)
        #expect(file["expires_at"]?.int == 1_800_000_000 + 30 * 86_400)

        #expect(try await fixture.answer(ControlRequest("GET", "/v1/files/\(id)")).json == file)
        let list = try await fixture.answer(ControlRequest("GET", "/v1/files?purpose=batch")).json
        #expect(list["data"]?.array == [file])
        #expect(list["has_more"]?.bool == false)

        let download = try await fixture.answer(ControlRequest("GET", "/v1/files/\(id)/content"))
        #expect(download.text == content)
        #expect(download.contentLength == content.utf8.count)
        #expect(download.header("content-disposition") == "attachment; filename=\"in.jsonl\"")

        let deleted = try await fixture.answer(ControlRequest("DELETE", "/v1/files/\(id)")).json
        #expect(deleted["deleted"]?.bool == true)
        #expect(try await fixture.answer(ControlRequest("GET", "/v1/files/\(id)")).status == 404)
    }

    @Test(arguments: [1, 2, 3, 7, 64, 100_000])
    func theFileIsTheSameInPiecesOfAnySize(pieceBytes: Int) async throws {
        let fixture = Fixture()
        let content = Array("{}\r\n\r\n--b0undar\r\n--\r\n".utf8) + (0...255).map { UInt8($0) }
        let form = Form(fields: [("purpose", "batch")], file: ("a", content), fileFirst: true)
        let answer = try await fixture.answer(form.request(pieceBytes: pieceBytes, isChunked: true))
        let id = FileID(try #require(try answer.json["id"]?.string))
        #expect(fixture.store.state.withLock { $0.contents[id] } == content)
        #expect(fixture.store.state.withLock { $0.writes.max() ?? 0 } <= pieceBytes + "\r\n--b0undary".utf8.count)
    }

    @Test func lifetimeMayComeAfterTheFile() async throws {
        let fixture = Fixture()
        let fields = [
            ("expires_after[anchor]", "created_at"), ("expires_after[seconds]", "7200"), ("purpose", "batch"),
        ]
        let form = Form(fields: fields, file: ("a", [1]), fileFirst: true)
        #expect(try await fixture.answer(form.request()).json["expires_at"]?.int == 1_800_007_200)
    }

    static let badForms: [(Form, String)] = [
        (Form(fields: [("purpose", "batch")], file: nil), "file"),
        (Form(fields: [], file: ("a", [1])), "purpose"),
        (Form(fields: [("purpose", "fine-tune")], file: ("a", [1])), "purpose"),
        (Form(fields: [("purpose", "batch"), ("purpose", "batch")], file: ("a", [1])), "purpose"),
        (Form(fields: [("purpose", "batch"), ("file", "text")], file: nil), "file"),
        (Form(fields: [("purpose", "batch"), ("expires_after[seconds]", "7200")], file: ("a", [1])), "expires_after"),
        (
            Form(
                fields: [
                    ("purpose", "batch"), ("expires_after[anchor]", "created_at"), ("expires_after[seconds]", "60"),
                ], file: ("a", [1])), "expires_after"
        ),
        (Form(fields: [("purpose", String(repeating: "x", count: 5_000))], file: ("a", [1])), "purpose"),
    ]

    @Test(arguments: badForms.indices, [true, false])
    func badFormsAreRefusedAndLeaveNothing(index: Int, fileFirst: Bool) async throws {
        let fixture = Fixture()
        var (form, parameter) = Self.badForms[index]
        form.fileFirst = fileFirst
        let answer = try await fixture.answer(form.request())
        #expect(answer.status == 400)
        #expect(try answer.error.param == parameter)
        #expect(fixture.store.state.withLock { $0.files.isEmpty && $0.openUploads == 0 })
    }

    @Test func aTruncatedFormIsRefusedAndAClientThatGoesAwayLeavesNothing() async throws {
        let fixture = Fixture()
        let body = Form(fields: [("purpose", "batch")], file: ("a", Array(repeating: 1, count: 50))).body
        for length in stride(from: 0, to: body.count - 4, by: 5) {
            let request = ControlRequest(
                "POST", "/v1/files", headers: [("content-type", "multipart/form-data; boundary=b0undary")],
                pieces: [Array(body[..<length])])
            let answer = try await fixture.answer(request)
            #expect(answer.status == 400)
            #expect(try answer.error.code == "invalid_form")
        }
        var request = Form(fields: [], file: nil).request()
        request.body = ControlBody { throw RecordingWriter.ClientGone() }
        await #expect(throws: RecordingWriter.ClientGone.self) { try await fixture.answer(request) }
        #expect(fixture.store.state.withLock { $0.openUploads } == 0)
    }

    @Test func tooLargeIs413BeforeAndWhileReading() async throws {
        let fixture = Fixture {
            $0.fileBytes = 100
            $0.formOverheadBytes = 300
        }
        let form = Form(fields: [("purpose", "batch")], file: ("a", Array(repeating: 1, count: 500)))
        for isChunked in [false, true] {
            let answer = try await fixture.answer(form.request(isChunked: isChunked))
            #expect(answer.status == 413)
            #expect(try answer.error.code == "too_large")
        }
        #expect(fixture.store.state.withLock { $0.openUploads } == 0)
    }

    @Test func uploadsAtOnceAreBounded() async throws {
        let fixture = Fixture { $0.uploads = 0 }
        let answer = try await fixture.answer(Form(fields: [("purpose", "batch")], file: ("a", [1])).request())
        #expect(answer.status == 429)
        #expect(try answer.error.type == "rate_limit_error")
        let refused = fixture.routes.metrics().first { $0.definition.name == "neap_uploads_refused_total" }
        #expect(refused?.series.first?.value == .number(1))
    }

    @Test func wrongMediaTypeIs415AndABadBoundary400() async throws {
        let fixture = Fixture()
        #expect(try await fixture.answer(ControlRequest("POST", "/v1/files", json: "{}")).status == 415)
        #expect(try await fixture.answer(ControlRequest("POST", "/v1/files")).status == 415)
        let bad = ControlRequest("POST", "/v1/files", headers: [("content-type", "multipart/form-data")])
        #expect(try await fixture.answer(bad).status == 400)
    }

    @Test func tenantsDoNotSeeEachOther() async throws {
        let fixture = Fixture()
        let id = try #require(try await fixture.upload("x", tenant: "a")["id"]?.string)
        let other = Identity(tenant: "b")
        for request in [
            ControlRequest("GET", "/v1/files/\(id)", identity: other),
            ControlRequest("GET", "/v1/files/\(id)/content", identity: other),
            ControlRequest("DELETE", "/v1/files/\(id)", identity: other),
        ] {
            let answer = try await fixture.answer(request)
            #expect(answer.status == 404)
            #expect(try answer.error.code == "not_found")
        }
        #expect(try await fixture.answer(ControlRequest("GET", "/v1/files", identity: other)).json["data"]?.array == [])
    }

    @Test func pagesByTheLastID() async throws {
        let fixture = Fixture()
        var ids: [String] = []
        for _ in 0..<5 { ids.append(try #require(try await fixture.upload("x")["id"]?.string)) }
        var seen: [String] = []
        var after = ""
        repeat {
            let page = try await fixture.answer(ControlRequest("GET", "/v1/files?limit=2&order=asc\(after)")).json
            let items = try #require(page["data"]?.array).compactMap { $0["id"]?.string }
            #expect(page["first_id"]?.string == items.first)
            #expect(page["last_id"]?.string == items.last)
            seen += items
            after = "&after=\(items.last ?? "")"
            if page["has_more"]?.bool == false { break }
        } while seen.count < 10
        #expect(seen == ids)
    }

    @Test(arguments: [
        "limit=0", "limit=10001", "limit=x", "order=up", "limit=1&limit=2", "after=file-none", "order=%zz",
    ])
    func badListQueriesAreRefused(query: String) async throws {
        let answer = try await Fixture().answer(ControlRequest("GET", "/v1/files?\(query)"))
        #expect(answer.status == (query.hasPrefix("after") ? 404 : 400))
    }

    @Test(
        arguments: [
            ("bytes=0-3", 206, "abcd", "bytes 0-3/10"), ("bytes=8-", 206, "ij", "bytes 8-9/10"),
            ("bytes=-3", 206, "hij", "bytes 7-9/10"), ("bytes=5-100", 206, "fghij", "bytes 5-9/10"),
            ("bytes=10-", 416, "", "bytes */10"), ("bytes=-0", 416, "", "bytes */10"),
            ("bytes=0-1,3-4", 200, "abcdefghij", nil), ("bytes=4-2", 200, "abcdefghij", nil),
            ("items=0-1", 200, "abcdefghij", nil), ("bytes=99999999999999999999-", 200, "abcdefghij", nil),
        ] as [(String, Int, String, String?)])
    func rangesOfContent(range: String, status: Int, text: String, contentRange: String?) async throws {
        let fixture = Fixture()
        let id = try #require(try await fixture.upload("abcdefghij")["id"]?.string)
        let answer = try await fixture.answer(
            ControlRequest("GET", "/v1/files/\(id)/content", headers: [("Range", range)]))
        #expect(answer.status == status)
        #expect(answer.text == text)
        #expect(answer.header("content-range") == contentRange)
    }

    @Test func aStoreThatIsUnwellIs503WithTheReason() async throws {
        let fixture = Fixture()
        let id = try #require(try await fixture.upload("x")["id"]?.string)
        fixture.store.fail("the disk is full")
        let upload = Form(fields: [("purpose", "batch")], file: ("a", [1])).request()
        for request in [ControlRequest("GET", "/v1/files/\(id)"), upload, ControlRequest("GET", "/v1/batches")] {
            let answer = try await fixture.answer(request)
            #expect(answer.status == 503)
            #expect(answer.header("retry-after") == "30")
            #expect(try answer.error.message == "the disk is full")
        }
    }

    @Test func aFilenameCannotForgeAHeader() async throws {
        let fixture = Fixture()
        let name = "..\\\u{202e}é%22x.jsonl"
        let id = try #require(try await fixture.upload("x", filename: name)["id"]?.string)
        let header = try await fixture.answer(ControlRequest("GET", "/v1/files/\(id)/content")).header(
            "content-disposition")
        #expect(header?.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f } == true)
        #expect(header?.contains("filename*=UTF-8''") == true)
    }
}
