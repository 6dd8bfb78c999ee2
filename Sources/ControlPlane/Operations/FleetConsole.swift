package import FleetTracking
package import SchedulerRuntime

/// What the control routes ask of the running gateway. Every call is cheap and never waits for an engine.
package protocol FleetConsole: Sendable {
    var directory: Directory { get }
    var readiness: Readiness.Report { get }
    /// The whole fleet now, for the page and `/admin/endpoints`.
    func figures() -> FleetFigures
    /// All metrics in Prometheus' text format.
    func metrics() -> [UInt8]
    /// How a recent request was placed, as JSON text; nil when it is not remembered.
    func explain(requestID: String) -> [UInt8]?
    /// New work stops (true) or may come again (false). False: no such endpoint.
    func setDraining(_ endpoint: EndpointID, _ isDraining: Bool) -> Bool
}

/// The fleet at one moment.
package struct FleetFigures: Sendable, Equatable {
    package struct Pool: Sendable, Equatable {
        package var name: String
        /// Work that waits in the gateway.
        package var queued = BandCounts()
        package var endpoints: [Endpoint] = []

        package init(name: String) { self.name = name }
    }

    package struct Endpoint: Sendable, Equatable {
        package var id: EndpointID
        package var url: String
        package var kind: EngineKind
        package var state: EndpointState
        package var models: [String] = []
        /// Work of ours that the endpoint holds.
        package var inFlight = BandCounts()
        /// What the engine last said of itself; nil before it said anything.
        package var sample: EngineSample?
        package var maximumSequences: Int?
        /// Why it is not well.
        package var fault: String?

        package init(id: EndpointID, url: String, kind: EngineKind, state: EndpointState) {
            self.id = id
            self.url = url
            self.kind = kind
            self.state = state
        }
    }

    package var pools: [Pool] = []
    /// Output tokens since the start, by band; counters.
    package var outputTokens = BandCounts()

    package init() {}
}

/// One figure for each band.
package struct BandCounts: Sendable, Equatable {
    package var realtime: Int
    package var async: Int

    package init(realtime: Int = 0, async: Int = 0) {
        self.realtime = realtime
        self.async = async
    }
}

/// What an operator wants to know of an endpoint first.
package enum EndpointState: String, Sendable {
    case healthy
    /// Failing: out of rotation until it answers again.
    case ejected
    case draining
    /// Not asked yet.
    case unknown
}
