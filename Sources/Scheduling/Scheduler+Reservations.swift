import EndpointPicking
import FleetTracking
import FlowControl

/// An endpoint kept for one waiting work of its band.
struct Reservation: Sendable, Equatable {
    var work: WorkID
    var endpoint: EndpointID
}

/// Room for works that others would pass by for ever.
///
/// A work that needs many sequences or much memory fits nowhere while each place that is freed goes to a smaller one:
/// of another model, or a job of its own from behind it. When it has waited for `FlowSettings.overdue`, one endpoint is
/// reserved for it: others of its band wait or go elsewhere, that endpoint runs empty of them, and the work goes as soon
/// as it fits, there or anywhere. What is left idle for it is bounded: one reservation for each band of a pool, and none
/// where the others of its band giving way would not make room.
extension Scheduler {
    /// The endpoint that is kept for another work of this one's band.
    func closedEndpoint(for work: WorkState) -> EndpointID? {
        guard let reservation = pools[work.pool].reservations[work.demand.band], reservation.work != work.id else {
            return nil
        }
        return reservation.endpoint
    }

    /// Ends a reservation that is of no use any more: its work waits no longer, or cannot go to its endpoint.
    mutating func reviewReservations(_ pool: Int, _ now: Instant) {
        for band in Band.allCases {
            guard let reservation = pools[pool].reservations[band] else { continue }
            guard let slot = works.slot(of: reservation.work), works[slot].ticket != nil,
                couldGo(works[slot], to: reservation.endpoint.index, now)
            else {
                pools[pool].reservations[band] = nil
                continue
            }
        }
    }

    /// The work with the reservation goes before all others: one that came after it may stand before it in its lane.
    mutating func placeReserved(_ band: Band, pool: Int, _ now: Instant, _ effects: inout [Effect]) {
        guard let slot = pools[pool].reservations[band].flatMap({ works.slot(of: $0.work) }) else { return }
        guard case .chosen(let endpoint, let matched) = pick(slot, now) else { return }
        forward(slot, to: endpoint, matchedTokens: matched, now, &effects)
    }

    /// Reserves an endpoint for a work that fits nowhere now, if it is overdue and has waited longer than the one that
    /// has the reservation. Age decides, not the band's order: works that flow stay young, so one that does not becomes
    /// the oldest, whatever comes before it.
    mutating func reserve(_ slot: Int, _ now: Instant) {
        let work = works[slot]
        let band = work.demand.band
        guard now - work.arrivedAt >= pools[work.pool].settings.flow.overdue(band) else { return }
        if let holder = pools[work.pool].reservations[band].flatMap({ works.slot(of: $0.work) }) {
            guard work.arrival < works[holder].arrival else { return }
        }
        // The one with the most free places is the first to have enough of them.
        var best: (index: Int, free: Int)?
        for index in fleet.servers(of: work.model, in: PoolID(work.pool)) where couldGo(work, to: index, now) {
            let free = fleet.freeSequences(index, for: band, at: now)
            if best.map({ free > $0.free }) ?? true { best = (index, free) }
        }
        guard let best else { return }
        pools[work.pool].reservations[band] = Reservation(work: work.id, endpoint: EndpointID(best.index))
    }

    private func couldGo(_ work: WorkState, to index: Int, _ now: Instant) -> Bool {
        fleet.isPresent(index) && !fleet.isDraining(index) && !work.tried.contains(EndpointID(index))
            && fleet.serves(work.model, index) && fleet.couldTake(work.demand, index, at: now)
    }
}
