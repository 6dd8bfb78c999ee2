package import EndpointPicking
package import FleetTracking
package import FlowControl

/// Limits of the whole scheduler.
package struct SchedulerSettings: Sendable {
    /// Works known at once, waiting and in flight; further ones are refused as `queueFull`. Default 65536.
    package var maximumWorks = 65_536
    /// Endpoint ids that are accepted; further endpoints are ignored and counted. Default 16384.
    package var maximumEndpoints = 16_384
    /// Recent picks that can be explained. Default 1024 (about 0.8 MB).
    package var decisionsKept = 1024

    package init() {}
}

/// How failed attempts are tried elsewhere.
package struct RetrySettings: Sendable, Equatable {
    /// Attempts of one real-time request, the first included. Default 3, at most 8.
    package var attempts = 3
    /// Retries earned by every first attempt. Default 0.1: at most a tenth more load when everything fails.
    package var share = 0.1
    /// Retries per second that are always allowed, so that a quiet pool can retry too. Default 3.
    package var perSecond = 3.0
    /// Retries that can be saved up. Default 100.
    package var burst = 100.0

    package init() {}
}

/// How far ahead of need jobs are read from the store.
package struct ReadAheadSettings: Sendable, Equatable {
    /// Jobs of a model claimed so that this many wait. Default 64. Less where many models have jobs: together they stay
    /// within the band's entries.
    package var window = 64
    /// More are claimed when fewer of the model than this wait. Default 32.
    package var lowMark = 32
    /// How long to wait after a claim that brought nothing although jobs were said to be there. Default 1 s.
    package var emptyClaimPause = Duration.seconds(1)

    package init() {}
}

/// Everything that is settable about one pool's scheduling.
package struct PoolSettings: Sendable {
    package var flow = FlowSettings()
    package var fleet = FleetSettings()
    package var retry = RetrySettings()
    package var readAhead = ReadAheadSettings()
    package var profile = PickProfile.standard

    package init() {}
}
