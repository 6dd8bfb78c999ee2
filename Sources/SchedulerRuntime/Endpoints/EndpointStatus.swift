package import FleetTracking

/// What the watch last learned of one endpoint.
package struct EndpointStatus: Sendable {
    package var entry: EndpointEntry
    package var kind: EngineKind { entry.kind }
    /// Nil until the first health check ended.
    package var isHealthy: Bool?
    /// An operator takes it out of service.
    package var isDraining = false
    package var models: [LearnedModel] = []
    package var hasLearnedModels = false
    package var sample: EngineSample?
    /// Why the last scrape, model list or health check failed; nil when all is well.
    package var fault: String?
    package var scrapesDone: UInt64 = 0
    package var scrapesFailed: UInt64 = 0
    package var scrapesAbsent: UInt64 = 0
    package var checksHealthy: UInt64 = 0
    package var checksUnhealthy: UInt64 = 0

    init(entry: EndpointEntry) { self.entry = entry }
}

/// A model or adapter as an engine lists it.
package struct LearnedModel: Sendable, Hashable {
    package var name: String
    /// The engine's own record, JSON text.
    package var record: String

    package init(name: String, record: String) {
        self.name = name
        self.record = record
    }
}

/// What changed in the set of endpoints.
package enum EndpointChange: Sendable {
    case added(EndpointEntry)
    /// Same id and URL with another credential or trust.
    case changed(EndpointEntry)
    case removed(EndpointID)
}
