import EngineModel
import FleetTracking

/// One request, or one attempt of a job, on its way through the world.
struct Visit {
    /// Its place in the trace, or among the jobs.
    let request: Int
    let band: Band
    let arrivedAt: Instant
    var endpoint: Int?
    /// How often it was sent.
    var attempt = 0
    /// In its endpoint's engine.
    var sequence: SequenceID?
    var firstAt: Instant?
    var endedAt: Instant?
    /// Output tokens that the scheduler was told of.
    var told = 0
    var cached = 0

    init(request: Int, band: Band, arrivedAt: Instant) {
        self.request = request
        self.band = band
        self.arrivedAt = arrivedAt
    }
}
