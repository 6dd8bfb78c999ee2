import HTTPTypes
import Hummingbird
import JobLifecycle
import JobStores
import NIOCore
import WireFormats

/// OpenAI's Files API, for `purpose=batch`.
struct FileRoutes: Sendable {
    let door: any BatchDoor
    let settings: ControlPlaneSettings
    let uploads: Slots
    let now: @Sendable () -> WallTime

    func add(to routes: RouteTable) {
        routes.on(.post, "/v1/files", create)
        routes.on(.get, "/v1/files", list)
        routes.on(.get, "/v1/files/:file", retrieve)
        routes.on(.delete, "/v1/files/:file", delete)
        routes.on(.get, "/v1/files/:file/content", content)
    }

    @Sendable private func create(_ request: Request, _ context: ControlContext) async throws -> Response {
        guard let type = request.headers[.contentType],
            HeaderParameters(type)?.value.lowercased() == "multipart/form-data"
        else { throw Failure.unsupportedMediaType("multipart/form-data") }
        guard let boundary = MultipartBoundary(contentType: type) else {
            throw Failure.badRequest("Content-Type names no usable boundary.", code: "invalid_form")
        }
        let limit = settings.fileBytes + settings.formOverheadBytes
        if let length = context.contentLength, length > limit { throw tooLarge }
        guard uploads.take() else {
            throw Failure(
                status: .tooManyRequests, kind: "rate_limit_error",
                message: "\(uploads.limit) uploads are under way. Try again when one has ended.", code: "limit_reached")
        }
        defer { uploads.free() }
        var form = UploadForm(boundary: boundary, door: door, tenant: context.tenant, settings: settings)
        do {
            var received = 0
            for try await piece in request.body {
                received += piece.readableBytes
                if received > limit { throw tooLarge }
                try await form.take(Array(piece.readableBytesView))
            }
            let file = try await form.finish(now: now())
            return respond(file)
        } catch {
            await form.upload?.abandon()
            throw error
        }
    }

    private var tooLarge: Failure {
        .tooLarge("A file for a batch may have at most \(settings.fileBytes) bytes. Split it into several batches.")
    }

    @Sendable private func list(_ request: Request, _ context: ControlContext) async throws -> Response {
        let query = try request.query()
        let order = try query.text("order") ?? ListOrder.newestFirst.rawValue
        guard let order = ListOrder(rawValue: order) else {
            throw Failure.badRequest("'order' must be 'asc' or 'desc'.", parameter: "order")
        }
        let limit = try query.integer("limit", in: 1...settings.filesPerPage, default: settings.filesPerPage)
        var wanted: FilePurpose?
        if let purpose = try query.text("purpose") {
            wanted = FilePurpose(rawValue: purpose)
            // No file here has another purpose, so the answer to a known or unknown word is the same.
            if wanted == nil { return ListObject(ids: [], hasMore: false).response { _ in } }
        }
        let after = try query.text("after").map { FileID($0) }
        let page = try await door.files(
            FileQuery(tenant: context.tenant, after: after, limit: limit, order: order, purpose: wanted), now: now())
        return ListObject(ids: page.items.map(\.id.text), hasMore: page.hasMore).response { json in
            for file in page.items { file.write(to: &json) }
        }
    }

    @Sendable private func retrieve(_ request: Request, _ context: ControlContext) async throws -> Response {
        respond(try await door.file(try id(context), tenant: context.tenant, now: now()))
    }

    @Sendable private func delete(_ request: Request, _ context: ControlContext) async throws -> Response {
        let id = try id(context)
        try await door.deleteFile(id, tenant: context.tenant, now: now())
        var json = JSONText()
        json.object {
            $0.member("id", id.text)
            $0.member("object", "file")
            $0.member("deleted", true)
        }
        return Response(json: json)
    }

    @Sendable private func content(_ request: Request, _ context: ControlContext) async throws -> Response {
        let reader = try await door.openFile(try id(context), tenant: context.tenant, now: now())
        let file = reader.file
        var headers: HTTPFields = [
            .contentType: "application/octet-stream", .xContentTypeOptions: "nosniff", .acceptRanges: "bytes",
            .cacheControl: "private, no-store", .eTag: "\"\(file.id.text)\"",
            .contentDisposition: ContentDisposition.attachment(file.filename),
        ]
        switch ByteRange(header: request.headers[.range], length: file.bytes) {
        case .whole:
            return Response(status: .ok, headers: headers, body: body(reader, 0..<file.bytes))
        case .part(let range):
            headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(file.bytes)"
            return Response(status: .partialContent, headers: headers, body: body(reader, range))
        case .unsatisfiable:
            headers[.contentRange] = "bytes */\(file.bytes)"
            return Response(status: .rangeNotSatisfiable, headers: headers)
        }
    }

    private func body(_ reader: any FileReading, _ range: Range<Int>) -> ResponseBody {
        let pieceBytes = settings.downloadPieceBytes
        return ResponseBody(contentLength: range.count) { writer in
            var offset = range.lowerBound
            while offset < range.upperBound {
                let piece = try await reader.read(at: offset, count: min(pieceBytes, range.upperBound - offset))
                // A file that is shorter than its row cannot be sent whole: the connection must not end well.
                if piece.isEmpty { throw TruncatedFile(file: reader.file.id, at: offset) }
                offset += piece.count
                try await writer.write(ByteBuffer(bytes: piece))
            }
            try await writer.finish(nil)
        }
    }

    private func respond(_ file: StoredFile) -> Response {
        var json = JSONText()
        file.write(to: &json)
        return Response(json: json)
    }

    private func id(_ context: ControlContext) throws -> FileID { FileID(try context.pathPart("file")) }
}

/// The bytes of a stored file end before its recorded length.
struct TruncatedFile: Error {
    let file: FileID
    let at: Int
}
