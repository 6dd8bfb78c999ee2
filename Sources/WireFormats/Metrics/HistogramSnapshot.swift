/// The state of a histogram at one moment, to be written to a metrics page.
package struct HistogramSnapshot: Sendable, Equatable {
    /// Upper bounds, ascending, without +Inf.
    package var bounds: [Double]
    /// Observations per bucket, each counted once (not cumulative); one more than `bounds`, the last for +Inf.
    package var counts: [UInt64]
    package var sum: Double

    package init(bounds: [Double], counts: [UInt64], sum: Double) {
        self.bounds = bounds
        self.counts = counts
        self.sum = sum
    }
}
