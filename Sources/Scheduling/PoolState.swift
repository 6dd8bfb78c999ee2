import EndpointPicking
import FleetTracking
import FlowControl

/// The scheduler's state of one pool.
struct PoolState: Sendable {
    let settings: PoolSettings
    var flow: FlowController
    var picker: EndpointPicker
    var retryBudget: RetryBudget
    var readAhead: ReadAhead
    /// Output tokens since the start, by band.
    private var outputTokens = (realtime: 0, async: 0)
    /// How long the answers of each model and tenant are.
    var lengths = OutputLengths()
    /// At most one endpoint is kept for a work of each band.
    var reservations = Reservations()
    /// When something in this pool must be looked at again; nil: nothing by time alone.
    var wakeAt: Instant?

    init(settings: PoolSettings, index: Int) {
        self.settings = settings
        flow = FlowController(settings: settings.flow)
        picker = EndpointPicker(profile: settings.profile, index: index)
        retryBudget = RetryBudget(settings: settings.retry)
        readAhead = ReadAhead(settings: settings.readAhead)
    }

    mutating func produced(_ tokens: Int, band: Band) {
        switch band {
        case .realtime: outputTokens.realtime &+= tokens
        case .async: outputTokens.async &+= tokens
        }
    }

    func produced(_ band: Band) -> Int { band == .realtime ? outputTokens.realtime : outputTokens.async }
}

/// The reservations of one pool.
struct Reservations: Sendable, Equatable {
    private var realtime: Reservation?
    private var async: Reservation?

    subscript(band: Band) -> Reservation? {
        get { band == .realtime ? realtime : async }
        set { if band == .realtime { realtime = newValue } else { async = newValue } }
    }
}
