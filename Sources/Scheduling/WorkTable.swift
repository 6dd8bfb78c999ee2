import EndpointPicking
import FleetTracking
import FlowControl

/// What the scheduler knows about one piece of work. It waits (`ticket`), or is in flight (`endpoint`), never both.
struct WorkState: Sendable {
    let id: WorkID
    let pool: Int
    let model: ModelID
    let tenant: TenantID
    let demand: WorkDemand
    let prefix: [PrefixBlock]
    let arrivedAt: Instant
    let expiresAt: Instant
    let deadline: Instant
    let mayRetryAfterSend: Bool
    /// Its own limit, or what the pool assumes.
    let outputLimit: Int?
    /// Counts up with every arrival.
    let arrival: UInt64
    /// Tokens at the prompt's start that most prompts share.
    var commonTokens = 0
    /// Output tokens that answers like this one had.
    var likelyOutputTokens = 0
    var ticket: QueueTicket?
    var endpoint: EndpointID?
    /// Forwards so far.
    var attempts = 0
    /// Forwards since it last waited.
    var attemptsInRound = 0
    /// Attempts that failed otherwise than for want of room.
    var failures = 0
    var tried = TriedEndpoints()
    /// Every engine that was asked said that it is full.
    var foundEnginesFull = false
    // Of the current attempt:
    var forwardedAt = Instant.zero
    var startedAt: Instant?
    var prefillTicket = 0
    /// Prompt tokens that the engine had to prefill up to and including this work's.
    var prefillTokens = 0
    var producedTokens = 0
    /// What its endpoint was believed to hold of its prompt.
    var match = PrefixMatch()
    /// What was predicted when it was sent; nil: it was not sent.
    var forecast: LatencyForecast?

    init(_ arrival: Arrival, number: UInt64, at now: Instant) {
        id = arrival.work
        self.arrival = number
        pool = arrival.pool.index
        model = arrival.model
        tenant = arrival.tenant
        var demand = WorkDemand(
            band: arrival.band, sequences: arrival.sequences, promptTokens: arrival.promptTokens,
            expectedOutputTokens: arrival.expectedOutputTokens)
        demand.isStream = arrival.isStream
        self.demand = demand
        outputLimit = arrival.outputTokenLimit
        likelyOutputTokens = demand.expectedOutputTokens
        prefix = arrival.prefix
        arrivedAt = now
        expiresAt = now + max(.zero, arrival.timeToLive)
        deadline = arrival.deadline
        mayRetryAfterSend = arrival.mayRetryAfterSend
    }
}

/// All works by id, in reused slots.
struct WorkTable: Sendable {
    private var slots = SlotTable(minimumCapacity: 1024)
    /// Those of free slots are `vacant`.
    private var works: ContiguousArray<WorkState> = []
    private var free: [Int] = []
    private static let vacant = WorkState(
        Arrival(
            work: WorkID(home: 0, serial: 0), pool: PoolID(0), model: ModelID(0), band: .realtime, promptTokens: 0,
            expectedOutputTokens: 0, timeToLive: .zero), number: 0, at: .zero)

    var count: Int { slots.count }

    func slot(of work: WorkID) -> Int? { slots.slot(of: work.rawValue) }

    /// The slot must be in use. Read and changed in place: every report of tokens comes here, and a work is large.
    subscript(slot: Int) -> WorkState {
        _read { yield works[slot] }
        _modify { yield &works[slot] }
    }

    mutating func insert(_ work: WorkState) -> Int {
        let slot: Int
        if let reused = free.popLast() {
            slot = reused
            works[slot] = work
        } else {
            slot = works.count
            works.append(work)
        }
        slots.set(work.id.rawValue, slot: slot)
        return slot
    }

    mutating func remove(_ slot: Int) {
        let key = works[slot].id.rawValue
        guard slots.slot(of: key) == slot else { return }
        slots.remove(key)
        works[slot] = WorkTable.vacant
        free.append(slot)
    }
}
