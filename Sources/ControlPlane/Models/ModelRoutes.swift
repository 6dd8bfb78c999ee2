import HTTPTypes
import Hummingbird
import SchedulerRuntime
import WireFormats

/// `GET /v1/models`: the union of what all pools serve, base models and adapters, in OpenAI's shape.
struct ModelRoutes: Sendable {
    private static let path = "/v1/models"
    let directory: @Sendable () -> Directory

    func add(to routes: RouteTable) {
        routes.on(.get, ModelRoutes.path, list)
        // Model names may hold slashes, which clients send as they are or encoded.
        routes.on(.get, ModelRoutes.path + "/**", retrieve)
    }

    @Sendable private func list(_ request: Request, _ context: ControlContext) async throws -> Response {
        let models = directory().models.sorted { $0.key < $1.key }
        var json = JSONText(capacity: 256 * (models.count + 1))
        json.object {
            $0.member("object", "list")
            $0.array("data") { for model in models { ModelRoutes.write(model.key, model.value, to: &$0) } }
        }
        return Response(json: json)
    }

    @Sendable private func retrieve(_ request: Request, _ context: ControlContext) async throws -> Response {
        let name = PercentEncoding.decode(request.uri.path.dropFirst(ModelRoutes.path.count + 1))
        let models = directory().models
        guard let name, let entry = models[name] else {
            let known = models.keys.sorted().prefix(20).joined(separator: ", ")
            throw Failure.notFound(
                "The model '\((name ?? "").prefix(256))' does not exist. Served here: \(known.isEmpty ? "none yet" : known).",
                code: "model_not_found")
        }
        var json = JSONText()
        ModelRoutes.write(name, entry, to: &json)
        return Response(json: json)
    }

    /// What OpenAI's client needs first, then whatever else the engine says of the model.
    private static func write(_ name: String, _ entry: ModelEntry, to json: inout JSONText) {
        let record = try? JSONValue.parse(Array(entry.record.utf8), limits: JSONLimits(rejectsDuplicates: false))
        let required = ["id", "object", "created", "owned_by"]
        json.object {
            $0.member("id", name)
            $0.member("object", "model")
            $0.member("created", record?["created"]?.int ?? 0)
            $0.member("owned_by", record?["owned_by"]?.string ?? "neap")
            for member in record?.members ?? [] where !required.contains(member.name) {
                $0.member(member.name, member.value)
            }
        }
    }
}
