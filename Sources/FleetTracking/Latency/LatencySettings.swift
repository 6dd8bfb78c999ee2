/// How latencies are predicted and learned.
package struct LatencySettings: Sendable, Equatable {
    /// What engines are assumed to cost before anything is seen of them, by endpoint type; types beyond the list count
    /// as the last. Never empty.
    package var priors = [StepTerms()]
    /// From sending a request until its prompt is in the engine's queue, before it is learned. Default 5 ms.
    package var overheadMilliseconds = 5.0
    /// Spread of one step's length around what its content explains, relative. Default 0.06.
    package var stepNoise = 0.06
    /// The same of a whole window, however many steps it has: what the model leaves out. Default 0.02.
    package var windowNoise = 0.02
    /// Share by which certainty is forgotten with every window. Default 1e-5: terms that keep being seen are a mean of
    /// some dozens of windows.
    package var forgetting = 1e-5
    /// Windows farther from their prediction than this many standard deviations count only that far. Default 3.
    package var outlierDeviations = 3.0
    /// So many outliers in a row on one side are no outliers: the endpoint has changed. Default 6, of about 20 windows
    /// a second.
    package var driftWindows = 6
    /// Mean relative error of recent predictions of the first token above which they are not used. Default 0.75.
    package var distrustAbove = 0.75
    /// They are used again below this. Default 0.5.
    package var trustBelow = 0.5

    package init() {}
}
