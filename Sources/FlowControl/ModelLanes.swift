import FleetTracking

/// The works of one band that wait, in one lane for each model, so that a model without room holds back itself alone.
///
/// Works that an attempt failed for have a lane of their own beside their model's: some endpoints are closed to them
/// that are open to those behind. There are never more lanes than waiting works; a lane that becomes empty is reused.
struct ModelLanes: Sendable {
    private struct Lane: Sendable {
        var id: UInt64 = 0
        var heap = WaitingHeap()
        /// Where the lane stands among the occupied ones.
        var place = 0
    }

    /// The first work of a lane.
    struct Head: Comparable, Sendable {
        var key: WaitingKey
        var slot: Int32
        var lane: Int

        static func < (left: Head, right: Head) -> Bool { left.key < right.key }
    }

    private var lanes: [Lane] = []
    /// Lanes with works, in no order of meaning.
    private var occupied: [Int] = []
    private var free: [Int] = []
    private var table = SlotTable()
    /// By slot: its lane, and where it stands there.
    private var laneOf: [Int32] = []
    private var places: [Int32] = []
    /// Lanes that the round under way has not looked at, or whose first work went.
    private var round = BinaryHeap<Head>()

    /// Lanes with works.
    var count: Int { occupied.count }

    func hasWaiting(_ model: ModelID) -> Bool {
        table.contains(ModelLanes.id(model, hasTried: false)) || table.contains(ModelLanes.id(model, hasTried: true))
    }

    /// Works of the model that wait.
    func waiting(_ model: ModelID) -> Int {
        var works = 0
        for hasTried in [false, true] {
            guard let lane = table.slot(of: ModelLanes.id(model, hasTried: hasTried)) else { continue }
            works += lanes[lane].heap.entries.count
        }
        return works
    }

    mutating func insert(_ queued: QueuedWork, key: WaitingKey, slot: Int32) {
        while places.count <= Int(slot) {
            places.append(-1)
            laneOf.append(-1)
        }
        let lane = makeLane(ModelLanes.id(queued.model, hasTried: queued.hasTried))
        laneOf[Int(slot)] = Int32(truncatingIfNeeded: lane)
        lanes[lane].heap.insert(key, slot: slot, &places)
    }

    /// Takes out a slot that waits here.
    mutating func remove(_ slot: Int32) {
        let lane = Int(laneOf[Int(slot)])
        lanes[lane].heap.remove(at: Int(places[Int(slot)]), &places)
        if lanes[lane].heap.isEmpty { close(lane) }
    }

    // MARK: Rounds

    /// Begins to go through the first work of each lane.
    mutating func beginRound() {
        round.removeAll()
        for lane in occupied { push(lane) }
    }

    /// The first work, by key, of the lanes that are left in this round. Its lane leaves the round.
    mutating func nextHead() -> Head? { round.popFirst() }

    /// The first work of this lane went: its next one takes part in the round too. No work may have been added since
    /// the round began.
    mutating func goOn(_ lane: Int) { push(lane) }

    /// Slots behind the first of a lane, at most `limit`: the earliest ones or nearly so, in their order.
    func behind(_ head: Head, limit: Int, into found: inout [Int32]) {
        found.removeAll(keepingCapacity: true)
        let entries = lanes[head.lane].heap.entries.dropFirst().prefix(max(0, limit))
        for entry in entries.sorted(by: { $0.key < $1.key }) { found.append(entry.slot) }
    }

    private mutating func push(_ lane: Int) {
        guard let first = lanes[lane].heap.first else { return }
        round.insert(Head(key: first.key, slot: first.slot, lane: lane))
    }

    // MARK: Lanes

    private static func id(_ model: ModelID, hasTried: Bool) -> UInt64 {
        UInt64(bitPattern: Int64(model.index)) << 1 | (hasTried ? 1 : 0)
    }

    private mutating func makeLane(_ id: UInt64) -> Int {
        if let lane = table.slot(of: id) { return lane }
        let lane = free.popLast() ?? lanes.count
        if lane == lanes.count { lanes.append(Lane()) }
        lanes[lane].id = id
        lanes[lane].place = occupied.count
        occupied.append(lane)
        table.set(id, slot: lane)
        return lane
    }

    private mutating func close(_ lane: Int) {
        table.remove(lanes[lane].id)
        lanes[lane].heap.shrink()
        let place = lanes[lane].place
        let last = occupied.removeLast()
        if last != lane {
            occupied[place] = last
            lanes[last].place = place
        }
        free.append(lane)
    }
}
