import FleetTracking

/// What the store holds for one pool, model by model, and which claims are on their way.
///
/// Each model with jobs has a window of its own: were it the pool's, the backlog of a model whose engines are busy
/// would fill it, and the others' engines would idle.
struct ReadAhead: Sendable {
    struct Entry: Sendable, Equatable {
        let model: ModelID
        /// Jobs that the store said could come.
        var pending = 0
        /// Jobs asked for by the claim that is on its way; 0: none is.
        var claimed = 0
        /// Jobs that arrived since the claim.
        var claimedArrivals = 0
        var nextClaimAt = Instant(nanoseconds: .min)
        /// Jobs told of during the claim, which may have looked before they were there.
        var news = 0

        var isClaiming: Bool { claimed > 0 }
        /// Jobs of the claim that may still come.
        var expected: Int { max(0, claimed - claimedArrivals) }
    }

    /// Models with jobs in the store or a claim on its way, by id.
    private(set) var entries: [Entry] = []
    /// The model that claimed last, by its index; -1: none did.
    private var lastClaimed = -1
    private let settings: ReadAheadSettings

    init(settings: ReadAheadSettings) { self.settings = settings }

    /// Jobs that the store could bring now, of all models.
    var pending: Int { entries.reduce(0) { $0 + $1.pending } }
    /// Jobs of claims that may still come.
    var expected: Int { entries.reduce(0) { $0 + $1.expected } }

    /// The store's word on what could come of a model.
    mutating func told(_ model: ModelID, pending: Int) {
        let place = place(of: model)
        if place < entries.count, entries[place].model == model {
            entries[place].pending = max(0, pending)
            if entries[place].isClaiming { entries[place].news = max(0, pending) }
            drop(place)
        } else if pending > 0 {
            entries.insert(Entry(model: model, pending: pending), at: place)
        }
    }

    /// A claim ended and left so many in the store. False: none was on its way.
    mutating func claimed(_ model: ModelID, pending: Int, at now: Instant) -> Bool {
        let place = place(of: model)
        guard place < entries.count, entries[place].model == model, entries[place].isClaiming else { return false }
        let isEmpty = entries[place].claimedArrivals == 0 && entries[place].news == 0
        if isEmpty { entries[place].nextClaimAt = now + settings.emptyClaimPause }
        entries[place].claimed = 0
        entries[place].pending = max(0, pending, entries[place].news)
        entries[place].news = 0
        drop(place)
        return true
    }

    /// A job came, so the store does bring some.
    mutating func arrived(_ model: ModelID) {
        let place = place(of: model)
        guard place < entries.count, entries[place].model == model else { return }
        entries[place].nextClaimAt = Instant(nanoseconds: .min)
        if entries[place].isClaiming { entries[place].claimedArrivals += 1 }
    }

    /// The entry that may claim first: the one behind the last that did. Where places are few, all models come to have
    /// some.
    var firstTurn: Int {
        let place = place(of: ModelID(lastClaimed + 1))
        return place < entries.count ? place : 0
    }

    /// The model of an entry, if more of it may be asked for now.
    func claimable(_ index: Int, at now: Instant) -> ModelID? {
        let entry = entries[index]
        return !entry.isClaiming && entry.pending > 0 && now >= entry.nextClaimAt ? entry.model : nil
    }

    /// How many jobs to claim for an entry; its claim is then on its way. 0: enough of its model wait.
    ///
    /// `waiting`: jobs of the model that wait here. `limit`: jobs that may wait of all models; each model with jobs has
    /// an equal part of it, at least one. `places`: how many more may come now.
    mutating func claim(_ index: Int, waiting: Int, limit: Int, places: Int) -> Int {
        let window = max(1, min(settings.window, limit / entries.count))
        guard waiting < max(1, min(settings.lowMark, window)) else { return 0 }
        entries[index].claimed = min(max(1, window - waiting), entries[index].pending, places)
        entries[index].claimedArrivals = 0
        if entries[index].claimed > 0 { lastClaimed = entries[index].model.index }
        return entries[index].claimed
    }

    /// When a claim that is put off is due; nil: none is.
    func nextClaim(after now: Instant) -> Instant? {
        var next: Instant?
        for entry in entries where entry.pending > 0 && !entry.isClaiming && entry.nextClaimAt > now {
            next = min(next ?? entry.nextClaimAt, entry.nextClaimAt)
        }
        return next
    }

    private mutating func drop(_ place: Int) {
        if entries[place].pending == 0, !entries[place].isClaiming { entries.remove(at: place) }
    }

    /// Where the model's entry is, or would be.
    private func place(of model: ModelID) -> Int {
        var (low, high) = (0, entries.count)
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].model.index < model.index { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
