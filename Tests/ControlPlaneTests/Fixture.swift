import ControlPlane
import DataPlane
import JobLifecycle
import JobStores
import Logging
import Testing
import WireFormats

/// The control plane over a store in memory and a fake gateway, at a fixed time.
struct Fixture {
    let store = MemoryStore()
    let console = ConsoleFake()
    let routes: ControlRoutes
    static let now = WallTime(seconds: 1_800_000_000)

    init(_ change: (inout ControlPlaneSettings) -> Void = { _ in }) {
        var settings = ControlPlaneSettings()
        change(&settings)
        routes = ControlRoutes(
            .init(
                console: console, store: store, build: BuildInfo(version: "1.2.3"), settings: settings,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, now: { Fixture.now }))
    }

    func answer(_ request: ControlRequest) async throws -> RecordingWriter.Answer {
        try await routes.surface.answer(request)
    }

    /// Uploads a file and returns its object.
    func upload(
        _ content: String, tenant: String = "", filename: String = "in.jsonl",
        fields: [(String, String)] = [("purpose", "batch")]
    ) async throws -> JSONValue {
        let form = Form(fields: fields, file: (filename, Array(content.utf8)))
        let answer = try await answer(form.request(identity: Identity(tenant: tenant)))
        #expect(answer.status == 200, "\(answer.text)")
        return try answer.json
    }

    func createBatch(_ file: String, tenant: String = "", more: String = "") async throws -> RecordingWriter.Answer {
        let json =
            #"{"input_file_id":"\#(file)","endpoint":"/v1/chat/completions","completion_window":"24h"\#(more)}"#
        return try await answer(
            ControlRequest("POST", "/v1/batches", json: json, identity: Identity(tenant: tenant)))
    }
}

/// A multipart form as a client sends it.
struct Form {
    var fields: [(String, String)]
    var file: (name: String, content: [UInt8])?
    var fileFirst = false

    init(fields: [(String, String)], file: (String, [UInt8])?, fileFirst: Bool = false) {
        self.fields = fields
        self.file = file
        self.fileFirst = fileFirst
    }

    var body: [UInt8] {
        var parts = fields.map {
            Array("--b0undary\r\nContent-Disposition: form-data; name=\"\($0.0)\"\r\n\r\n\($0.1)\r\n".utf8)
        }
        if let file {
            let head =
                "--b0undary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\(file.name)\"\r\nContent-Type: application/octet-stream\r\n\r\n"
            parts.insert(Array(head.utf8) + file.content + Array("\r\n".utf8), at: fileFirst ? 0 : parts.count)
        }
        return parts.flatMap { $0 } + Array("--b0undary--\r\n".utf8)
    }

    func request(identity: Identity = Identity(), pieceBytes: Int = 1_000, isChunked: Bool = false) -> ControlRequest {
        let body = body
        let pieces = stride(from: 0, to: body.count, by: pieceBytes).map {
            Array(body[$0..<min($0 + pieceBytes, body.count)])
        }
        return ControlRequest(
            "POST", "/v1/files", headers: [("Content-Type", "multipart/form-data; boundary=b0undary")],
            identity: identity, pieces: pieces, isChunked: isChunked)
    }
}

extension RecordingWriter.Answer {
    var json: JSONValue {
        get throws { try JSONValue.parse(bytes) }
    }

    /// OpenAI's error body: type, code and parameter.
    var error: (type: String?, code: String?, param: String?, message: String) {
        get throws {
            let error = try #require(try json["error"])
            return (
                error["type"]?.string, error["code"]?.string, error["param"]?.string, error["message"]?.string ?? ""
            )
        }
    }
}
