/// Where one job stands. The raw value is what stores keep.
///
///     pending  → leased (granted), delayed, succeeded…cancelled
///     delayed  → pending (its time came), succeeded…cancelled
///     leased   → pending (released), delayed (retried), succeeded…cancelled
///     succeeded, failed, expired, cancelled: final
///
/// A job that is claimed but not yet granted is `pending` in the store and held by its claimant; it may end from
/// there (a job withdrawn before its grant, or an answer recorded together with its grant).
package enum JobState: Int, Sendable, CaseIterable {
    /// May run now.
    case pending = 0
    /// May run from `notBefore` on.
    case delayed = 1
    /// Granted: on its way to an engine, or there.
    case leased = 2
    /// An engine answered with 2xx or 3xx.
    case succeeded = 3
    /// An engine refused it for good, or its attempts are used up.
    case failed = 4
    /// The batch's window closed first.
    case expired = 5
    /// The batch was cancelled first.
    case cancelled = 6

    package var isFinal: Bool { rawValue >= JobState.succeeded.rawValue }
}

/// What can happen to a job.
package enum JobEvent: Sendable, CaseIterable {
    case granted
    /// Given back unharmed: shutdown, crash of the holder.
    case released
    /// To be tried again later.
    case postponed
    /// The time it waited for came.
    case due
    case succeeded
    case failed
    case expired
    case cancelled
}

extension JobState {
    /// The state after the event, or nil where the event is illegal. The one table of job transitions.
    package func after(_ event: JobEvent) -> JobState? {
        switch (self, event) {
        case (.pending, .granted): .leased
        case (.pending, .released), (.leased, .released): .pending
        case (.pending, .postponed), (.leased, .postponed): .delayed
        case (.delayed, .due): .pending
        case (.pending, .succeeded), (.leased, .succeeded): .succeeded
        case (.pending, .failed), (.leased, .failed), (.delayed, .failed): .failed
        case (.pending, .expired), (.leased, .expired), (.delayed, .expired): .expired
        case (.pending, .cancelled), (.leased, .cancelled), (.delayed, .cancelled): .cancelled
        default: nil
        }
    }
}
