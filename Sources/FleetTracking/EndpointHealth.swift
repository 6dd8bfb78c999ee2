/// Whether an endpoint is in rotation.
///
/// healthy → ejected (enough failures in a row) → returning (the time is over, or a health check came good again) →
/// healthy (enough answers began) or ejected for longer (a failure). Who asks decides whether an ejection is allowed: never
/// of a pool's last endpoint.
package struct EndpointHealth: Sendable {
    package enum State: Sendable, Equatable {
        case healthy
        case ejected(until: Instant)
        /// At most this many of the works sent since then at once.
        case returning(allowance: Int)
    }

    package private(set) var state = State.healthy
    /// How often it began to return, so that others can tell one return from the next.
    package private(set) var returns = 0
    private var attemptFailures = 0
    private var probeFailures = 0
    private var ejections = 0
    private let settings: EjectionSettings

    package init(settings: EjectionSettings) { self.settings = settings }

    package var isHealthy: Bool { if case .ejected = state { false } else { true } }

    /// Enough failures in a row to be ejected, whether or not that is allowed.
    package var isFailing: Bool {
        if case .returning = state { return attemptFailures > 0 || probeFailures > 0 }
        return attemptFailures >= settings.attemptFailures || probeFailures >= settings.probeFailures
    }

    /// Works sent since it began to return that may be there at once; nil: no limit.
    package var allowance: Int? { if case .returning(let allowance) = state { allowance } else { nil } }

    /// What one answer changed.
    package enum Trust: Sendable { case same, grown, restored }

    /// An answer began: that is what a returning endpoint has to show. Waiting for its end would hold an endpoint of
    /// long answers back for minutes, and with it a pool whose engines were restarted one after the other.
    package mutating func answerBegan() -> Trust {
        guard case .returning(let allowance) = state else { return .same }
        let grown = allowance &* 2
        guard grown > settings.fullAllowance else {
            state = .returning(allowance: grown)
            return .grown
        }
        state = .healthy
        ejections = 0
        attemptFailures = 0
        probeFailures = 0
        return .restored
    }

    /// An answer came to a good end.
    package mutating func attemptSucceeded() { attemptFailures = 0 }

    package mutating func attemptFailed() { attemptFailures = min(attemptFailures + 1, 1 << 20) }

    package mutating func probed(healthy: Bool) {
        let hadFailed = probeFailures > 0
        probeFailures = healthy ? 0 : min(probeFailures + 1, 1 << 20)
        // It was gone and is there again: no need to sit out the rest of the time.
        if healthy, hadFailed, case .ejected = state { beginReturn() }
    }

    /// Takes the endpoint out of rotation.
    package mutating func eject(at now: Instant) {
        let doubled = settings.shortest * (1 << min(ejections, 16))
        ejections += 1
        attemptFailures = 0
        state = .ejected(until: now + min(doubled, max(settings.longest, settings.shortest)))
    }

    /// Lets time pass. True when the endpoint begins to return.
    package mutating func advance(to now: Instant) -> Bool {
        guard case .ejected(let until) = state, now >= until else { return false }
        if probeFailures > 0 {
            // Health checks still fail: one that comes good ends the ejection.
            state = .ejected(until: now + settings.shortest)
            return false
        }
        beginReturn()
        return true
    }

    private mutating func beginReturn() {
        returns += 1
        attemptFailures = 0
        probeFailures = 0
        state = .returning(allowance: max(1, settings.firstAllowance))
    }
}
