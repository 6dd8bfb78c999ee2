import DataPlane
import FleetTracking
import HTTPTypes
import Hummingbird
import WireFormats

/// Calls for operators, all under `/admin`. With keys on they need an admin key.
struct AdminRoutes: Sendable {
    let console: any FleetConsole
    let live: LiveFeed

    func add(to routes: RouteTable) {
        routes.admin(.get, "/admin/endpoints", endpoints)
        routes.admin(.post, "/admin/endpoints/:endpoint/drain") { try drain($1, true) }
        routes.admin(.post, "/admin/endpoints/:endpoint/undrain") { try drain($1, false) }
        routes.admin(.get, "/admin/requests/:request", explain)
        routes.admin(.get, "/admin/live", stream)
    }

    @Sendable private func endpoints(_ request: Request, _ context: ControlContext) async throws -> Response {
        let figures = console.figures()
        var json = JSONText()
        json.object {
            $0.member("object", "list")
            $0.array("data") {
                for pool in figures.pools {
                    for endpoint in pool.endpoints { endpoint.write(to: &$0, pool: pool.name) }
                }
            }
        }
        return Response(json: json)
    }

    private func drain(_ context: ControlContext, _ isDraining: Bool) throws -> Response {
        let text = try context.pathPart("endpoint")
        guard let index = Int(text), index >= 0, console.setDraining(EndpointID(index), isDraining) else {
            throw Failure.notFound("There is no endpoint '\(text.prefix(40))'. GET /admin/endpoints lists their ids.")
        }
        var json = JSONText()
        json.object {
            $0.member("id", index)
            $0.member("draining", isDraining)
        }
        return Response(json: json)
    }

    @Sendable private func explain(_ request: Request, _ context: ControlContext) async throws -> Response {
        guard let explanation = console.explain(requestID: try context.pathPart("request")) else {
            throw Failure.notFound(
                "This request is not remembered. Only the most recent ones are; ids are those of 'x-request-id'.")
        }
        return Response(bytes: explanation, type: "application/json")
    }

    @Sendable private func stream(_ request: Request, _ context: ControlContext) async throws -> Response {
        guard let viewer = live.join() else {
            throw Failure(
                status: .tooManyRequests, kind: "rate_limit_error",
                message: "\(live.viewerLimit) viewers are connected already.", code: "limit_reached")
        }
        let headers: HTTPFields = [
            .contentType: "text/event-stream", .cacheControl: "no-store", .xContentTypeOptions: "nosniff",
        ]
        return Response(status: .ok, headers: headers, body: viewer.body)
    }
}

extension RouteTable {
    /// A route that only an admin key opens.
    func admin(_ method: HTTPRequest.Method, _ path: String, _ handler: @escaping Handler) {
        on(method, path) { request, context in
            guard context.identity.isAdmin else {
                throw Failure.forbidden("This path needs an admin key.")
            }
            return try await handler(request, context)
        }
    }
}
