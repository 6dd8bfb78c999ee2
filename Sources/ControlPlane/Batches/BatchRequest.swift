import JobLifecycle
import JobStores
import WireFormats

/// Reads the body of `POST /v1/batches`.
struct BatchRequest {
    let body: JSONValue
    let settings: ControlPlaneSettings
    /// The engine paths that a batch may name, sorted.
    let endpoints: [String]

    func draft(tenant: String, idempotencyKey: String?) throws(Failure) -> BatchDraft {
        let inputFile = FileID(try text("input_file_id"))
        let endpoint = try text("endpoint")
        guard endpoints.contains(endpoint) else {
            throw .badRequest(
                "'endpoint' must be one of \(endpoints.joined(separator: ", ")).", parameter: "endpoint")
        }
        let spelled = try text("completion_window")
        guard let window = CompletionWindow.parse(spelled), window <= settings.completionWindow else {
            let hours = settings.completionWindow.components.seconds / 3_600
            throw .badRequest(
                "'completion_window' must be a time such as '24h', '90m' or '1h30m', at most \(hours)h.",
                parameter: "completion_window")
        }
        return BatchDraft(
            tenant: tenant, endpoint: endpoint, inputFile: inputFile, completionWindow: spelled, window: window,
            metadata: try metadata(),
            outputLifetime: try Lifetime.read(
                body["output_expires_after"], field: "output_expires_after", settings: settings),
            idempotencyKey: idempotencyKey)
    }

    private func text(_ name: String) throws(Failure) -> String {
        guard let value = body[name], !value.isNull else {
            throw .badRequest("'\(name)' is missing.", parameter: name, code: "missing_required_parameter")
        }
        guard let text = value.string, !text.isEmpty, text.utf8.count <= 512 else {
            throw .badRequest("'\(name)' must be a text of 1 to 512 bytes.", parameter: name, code: "invalid_type")
        }
        return text
    }

    private func metadata() throws(Failure) -> [MetadataEntry] {
        guard let value = body["metadata"], !value.isNull else { return [] }
        guard let members = value.members else { throw metadataFailure("an object of texts") }
        guard members.count <= settings.metadataPairs else {
            throw metadataFailure("of at most \(settings.metadataPairs) pairs")
        }
        var entries: [MetadataEntry] = []
        for member in members {
            guard let text = member.value.string else { throw metadataFailure("an object of texts") }
            guard member.name.unicodeScalars.count <= settings.metadataKeyCharacters else {
                throw metadataFailure("with keys of at most \(settings.metadataKeyCharacters) characters")
            }
            guard text.unicodeScalars.count <= settings.metadataValueCharacters else {
                throw metadataFailure("with values of at most \(settings.metadataValueCharacters) characters")
            }
            entries.append(MetadataEntry(key: member.name, value: text))
        }
        return entries
    }

    private func metadataFailure(_ allowed: String) -> Failure {
        .badRequest("'metadata' must be \(allowed).", parameter: "metadata")
    }
}
