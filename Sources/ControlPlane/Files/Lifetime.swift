import WireFormats

/// OpenAI's `expires_after`: seconds after creation.
enum Lifetime {
    /// Both parts or neither; the anchor must be `created_at`.
    static func read(
        anchor: String?, seconds: Int?, field: String, settings: ControlPlaneSettings
    ) throws(Failure) -> Duration {
        guard anchor == "created_at" else {
            throw .badRequest("'\(field)[anchor]' must be 'created_at'.", parameter: field)
        }
        let range = settings.shortestLifetimeSeconds...settings.longestLifetimeSeconds
        guard let seconds, range.contains(seconds) else {
            throw .badRequest(
                "'\(field)[seconds]' must be a whole number from \(range.lowerBound) to \(range.upperBound).",
                parameter: field)
        }
        return .seconds(seconds)
    }

    /// From a JSON body; nil when the member is absent or null.
    static func read(
        _ value: JSONValue?, field: String, settings: ControlPlaneSettings
    ) throws(Failure) -> Duration? {
        guard let value, !value.isNull else { return nil }
        return try read(
            anchor: value["anchor"]?.string, seconds: value["seconds"]?.int, field: field, settings: settings)
    }
}
