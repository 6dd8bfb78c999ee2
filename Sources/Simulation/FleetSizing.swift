/// What a fleet must do.
package struct Objectives: Sendable, Equatable {
    /// Milliseconds that 99 of 100 requests stay within; nil: any.
    package var firstToken: Double?
    package var perToken: Double?

    package init(firstToken: Double? = nil, perToken: Double? = nil) {
        self.firstToken = firstToken
        self.perToken = perToken
    }
}

/// How a fleet of one size did.
package struct FleetTrial: Sendable, Equatable {
    package var endpoints: Int
    /// 99th percentiles, milliseconds.
    package var firstToken: Double
    package var perToken: Double
    /// Requests that were not served.
    package var refused: Int
    /// Of the backlog, those that were not done by the last request's arrival.
    package var jobsLeft: Int
    package var jobs: Int
    /// Objectives that it missed, in words, with how much was missing; empty: it meets all.
    package var misses: [String]

    package var meets: Bool { misses.isEmpty }
}

/// The smallest fleet that does what is asked, found by trying sizes.
package struct FleetSizing {
    /// What was tried, by size.
    private var trials: [Int: FleetTrial] = [:]
    private let most: Int
    private let attempt: (Int) -> FleetTrial

    private init(most: Int, attempt: @escaping (Int) -> FleetTrial) {
        self.most = most
        self.attempt = attempt
    }

    /// A size is taken when it and the next one do what is asked: a larger fleet may do worse by chance, and one lucky
    /// size is no plan. Sizes double until one is taken, halving finds the smallest between that and the last one that
    /// was not, and from there neighbours below are tried for a smaller one still.
    ///
    /// Returns the trial of that size, or of the largest where none does what is asked.
    package static func smallest(upTo most: Int, _ attempt: (Int) -> FleetTrial) -> FleetTrial {
        withoutActuallyEscaping(attempt) { attempt in
            var sizing = FleetSizing(most: max(1, most), attempt: attempt)
            return sizing.search()
        }
    }

    private mutating func trial(_ size: Int) -> FleetTrial {
        if let known = trials[size] { return known }
        let made = attempt(size)
        trials[size] = made
        return made
    }

    private mutating func isTaken(_ size: Int) -> Bool {
        guard trial(size).meets else { return false }
        return size == most || trial(size + 1).meets
    }

    private mutating func search() -> FleetTrial {
        var low = 0
        var high = 1
        while !isTaken(high) {
            guard high < most else { return trial(most) }
            low = high
            high = min(most, high * 2)
        }
        while true {
            while high - low > 1 {
                let middle = (low + high) / 2
                if isTaken(middle) { high = middle } else { low = middle }
            }
            // The one below is not taken because it misses itself, so the one below that is neither.
            guard high > 3, isTaken(high - 3) else { return trial(high) }
            (low, high) = (0, high - 3)
        }
    }
}
