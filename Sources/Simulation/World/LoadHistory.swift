/// What each endpoint had to do over time: requests and jobs that were sent there and had not ended, on average in
/// slices of equal length.
package struct LoadHistory: Sendable, Equatable {
    /// The most slices that are kept: a run that needs more gets slices twice as long, as often as it takes. A plot of
    /// more would only be noise.
    package static let mostSlices = 128

    private struct Slice: Equatable {
        var sum = 0
        var looks = 0
    }

    /// Of one slice.
    package private(set) var sliceSeconds: Double
    private var slices: [[Slice]]

    /// `lookInterval`: seconds between two looks at an endpoint, the length of the first slices.
    package init(endpoints: Int = 0, lookInterval: Double = 1) {
        sliceSeconds = max(1e-3, lookInterval)
        slices = Array(repeating: [], count: endpoints)
    }

    package var endpoints: Int { slices.count }

    /// `seconds`: since the first arrival; earlier looks do not count.
    package mutating func note(_ endpoint: Int, inFlight: Int, at seconds: Double) {
        guard seconds >= 0, slices.indices.contains(endpoint) else { return }
        while seconds >= sliceSeconds * Double(LoadHistory.mostSlices) { join() }
        let index = min(LoadHistory.mostSlices - 1, Int(seconds / sliceSeconds))
        while slices[endpoint].count <= index { slices[endpoint].append(Slice()) }
        slices[endpoint][index].sum += inFlight
        slices[endpoint][index].looks += 1
    }

    private mutating func join() {
        sliceSeconds *= 2
        for endpoint in slices.indices {
            let old = slices[endpoint]
            slices[endpoint] = stride(from: 0, to: old.count, by: 2).map { index in
                var slice = old[index]
                if index + 1 < old.count {
                    slice.sum += old[index + 1].sum
                    slice.looks += old[index + 1].looks
                }
                return slice
            }
        }
    }

    /// The middle of each slice in which the endpoint was looked at (seconds), and the mean of it.
    package func means(of endpoint: Int) -> [(seconds: Double, inFlight: Double)] {
        slices[endpoint].enumerated().compactMap { index, slice in
            slice.looks == 0
                ? nil : ((Double(index) + 0.5) * sliceSeconds, Double(slice.sum) / Double(slice.looks))
        }
    }
}
