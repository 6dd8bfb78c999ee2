/// What is let in to an endpoint that said that it is full.
///
/// open → paused (it said "full": nothing goes there) → tried (the pause is over: one work may be there unanswered, and
/// one more for each that is answered: 1, 2, 4, …) → paused for longer ("full" again) or open (a sample taken since
/// shows that nothing waits in the engine). So what is sent to a full engine is bounded by what it answers, however
/// many works wait here; only a sample ends the restriction, because only it sees the engine's own queue. Jobs do not
/// take from real-time's share: one that is not streamed is unanswered until its end, and would hold real-time off for
/// as long. Works are known by their tickets, which number what was sent to the endpoint: times may be equal.
package struct Fullness: Sendable {
    private let settings: EjectionSettings
    /// Nothing goes there before.
    package private(set) var pausedUntil = Instant(nanoseconds: .min)
    /// When it said so, and the number of the first work that is sent after that.
    private var since = Instant(nanoseconds: .min)
    private var firstTrial = 0
    private var pause: Duration
    private var nextPause: Duration
    /// Works that may be there unanswered at once; 0: open.
    private var allowance = 0
    /// Works sent since it said "full" that neither had a first byte nor left, by band.
    private var unanswered = (realtime: 0, async: 0)

    package init(settings: EjectionSettings) {
        self.settings = settings
        pause = settings.fullPause
        nextPause = settings.fullPause
    }

    package func isPaused(at now: Instant) -> Bool { now < pausedUntil }

    /// True when one more work of this band may go there.
    package func admits(_ band: Band, at now: Instant) -> Bool {
        guard allowance > 0 else { return true }
        let ahead = band == .realtime ? unanswered.realtime : unanswered.realtime + unanswered.async
        return now >= pausedUntil && ahead < allowance
    }

    /// It said "full" to this work. `next`: the number that the next work sent there will have.
    package mutating func said(retryAfter: Duration?, to work: Int, next: Int, at now: Instant) {
        // Works that were under way when it first said so repeat the news; only one sent later shows that it lasts.
        if allowance == 0 || work >= firstTrial {
            pause = nextPause
            nextPause = min(nextPause * 2, settings.longestFullPause)
            since = now
            firstTrial = next
            unanswered = (0, 0)
            pausedUntil = now
        }
        allowance = 1
        let wished = min(max(pause, retryAfter ?? .zero), settings.longestFullPause)
        pausedUntil = max(pausedUntil, now + max(wished, .nanoseconds(1)))
    }

    /// A work is sent there.
    package mutating func sent(_ band: Band) { if allowance > 0 { change(band, by: 1) } }

    /// A first byte came for this work. True when more may be let in for it.
    package mutating func answered(_ work: Int, _ band: Band) -> Bool {
        guard allowance > 0, work >= firstTrial else { return false }
        change(band, by: -1)
        allowance = min(allowance + 1, 1 << 20)
        nextPause = settings.fullPause
        return true
    }

    /// A work is gone. One that had been answered leaves a place that the engine surely had.
    package mutating func left(_ work: Int, _ band: Band, wasAnswered: Bool) {
        guard allowance > 0 else { return }
        let isTrial = work >= firstTrial
        if wasAnswered {
            pausedUntil = Instant(nanoseconds: .min)
            // A trial's answer was counted when it came.
            if !isTrial { allowance = min(allowance + 1, 1 << 20) }
        } else if isTrial {
            change(band, by: -1)
        }
    }

    /// A sample that was taken then. `waiting`: the engine's own queue; nil: not told.
    package mutating func sampled(waiting: Int?, takenAt: Instant) {
        guard allowance > 0, waiting == 0, takenAt > since else { return }
        allowance = 0
        unanswered = (0, 0)
        pausedUntil = Instant(nanoseconds: .min)
        nextPause = settings.fullPause
    }

    private mutating func change(_ band: Band, by count: Int) {
        if band == .realtime { unanswered.realtime += count } else { unanswered.async += count }
    }
}
