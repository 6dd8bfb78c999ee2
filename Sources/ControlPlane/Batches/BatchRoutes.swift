import HTTPTypes
import Hummingbird
import JobLifecycle
import JobStores
import WireFormats

/// OpenAI's Batch API.
struct BatchRoutes: Sendable {
    let door: any BatchDoor
    let settings: ControlPlaneSettings
    /// The engine paths that a batch may name now, sorted.
    let endpoints: @Sendable () -> [String]
    let now: @Sendable () -> WallTime

    func add(to routes: RouteTable) {
        routes.on(.post, "/v1/batches", create)
        routes.on(.get, "/v1/batches", list)
        routes.on(.get, "/v1/batches/:batch", retrieve)
        routes.on(.post, "/v1/batches/:batch/cancel", cancel)
    }

    @Sendable private func create(_ request: Request, _ context: ControlContext) async throws -> Response {
        let body = try await request.jsonObject(limit: settings.jsonBytes, context: context)
        let key = request.headers[.idempotencyKey]
        if let key, key.utf8.count > 256 {
            throw Failure.badRequest("'Idempotency-Key' is longer than 256 bytes.", parameter: "Idempotency-Key")
        }
        let draft = try BatchRequest(body: body, settings: settings, endpoints: endpoints())
            .draft(tenant: context.tenant, idempotencyKey: key)
        do throws(StoreFailure) {
            return respond(try await door.createBatch(draft, now: now()))
        } catch {
            // The batch is what is addressed here, so a file that is missing or of another tenant is a bad argument.
            if error.code == .notFound {
                throw Failure.badRequest(
                    "There is no input file with the id '\(draft.inputFile.text)'.", parameter: "input_file_id",
                    code: "input_file_not_found")
            }
            throw error
        }
    }

    @Sendable private func list(_ request: Request, _ context: ControlContext) async throws -> Response {
        let query = try request.query()
        let limit = try query.integer(
            "limit", in: 1...settings.batchesPerPage, default: settings.batchesPerPageDefault)
        let after = try query.text("after").map { BatchID($0) }
        let page = try await door.batches(BatchQuery(tenant: context.tenant, after: after, limit: limit))
        return ListObject(ids: page.items.map(\.id.text), hasMore: page.hasMore).response { json in
            for batch in page.items { batch.write(to: &json) }
        }
    }

    @Sendable private func retrieve(_ request: Request, _ context: ControlContext) async throws -> Response {
        respond(try await door.batch(try id(context), tenant: context.tenant))
    }

    @Sendable private func cancel(_ request: Request, _ context: ControlContext) async throws -> Response {
        respond(try await door.cancelBatch(try id(context), tenant: context.tenant, now: now()))
    }

    private func respond(_ batch: Batch) -> Response {
        var json = JSONText(capacity: 1_024)
        batch.write(to: &json)
        return Response(json: json)
    }

    private func id(_ context: ControlContext) throws -> BatchID { BatchID(try context.pathPart("batch")) }
}
