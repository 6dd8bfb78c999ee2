/// The step times of one type of engine, learned online: recursive least squares over the terms, relative to their
/// priors, with a factor of its own for each endpoint (`SpeedBias`).
///
/// Each window of steps on an endpoint is one equation. It is divided by its prediction, so that relative errors count,
/// and all terms begin at 1 (the prior) with a standard deviation of 1: "a factor of two off" is expected. The model and
/// the endpoint's factor share what a window says by how uncertain each is, as in a Kalman filter. Certainty fades
/// towards that of the prior and never beyond it, so that terms which the traffic does not show can neither grow out of
/// bounds nor be forgotten.
package struct StepModel: Sendable {
    /// In force.
    package private(set) var terms: StepTerms
    /// From sending until the prompt is in the engine's queue, and back, milliseconds.
    package private(set) var overhead: Double
    /// Mean relative error of recent predictions of the first token.
    package private(set) var recentError = 0.25
    /// Predictions of first tokens may be used.
    package private(set) var isTrusted = true
    /// Windows learned from, those of them that counted less, and endpoints found changed.
    package private(set) var windows = 0
    package private(set) var outliers = 0
    package private(set) var drifts = 0
    private let prior: SIMD8<Double>
    private var ratios: SIMD8<Double>
    /// Share of recent windows that were outliers.
    private var outlierShare = 0.0
    /// Covariance of the ratios.
    private var covariance: [SIMD8<Double>]
    private let settings: LatencySettings

    private static let count = 6
    /// Terms stay within these multiples of their priors.
    private static let bounds = (low: 1.0 / 64, high: 64.0)
    /// With more outliers than this it is the terms that are wrong, and they are as uncertain as at the beginning.
    private static let tooManyOutliers = 0.25
    /// No error of one window is believed to be larger.
    private static let largestError = 63.0

    package init(prior: StepTerms = StepTerms(), settings: LatencySettings = LatencySettings()) {
        let sound = prior.isSound ? prior : StepTerms()
        terms = sound
        self.prior = sound.vector
        self.settings = settings
        overhead = settings.overheadMilliseconds
        ratios = SIMD8(repeating: 1)
        covariance = StepModel.identity
    }

    private static let identity: [SIMD8<Double>] = (0..<count).map { index in
        var row = SIMD8<Double>()
        row[index] = 1
        return row
    }

    /// What these steps take on an endpoint of exactly the type's speed, milliseconds.
    package func milliseconds(of sum: StepSum) -> Double { (sum.row * terms.vector).sum() }

    /// Learns that these steps took so long on the endpoint with this bias. What makes no sense is ignored.
    package mutating func learn(_ sum: StepSum, took milliseconds: Double, bias: inout SpeedBias) {
        let expected = bias.factor * self.milliseconds(of: sum)
        guard sum.steps >= 1, milliseconds.isFinite, milliseconds > 1e-3, expected.isFinite, expected > 1e-6 else {
            return
        }
        windows += 1
        let weights = sum.row * prior * (bias.factor / expected)
        let error = min(milliseconds / expected - 1, StepModel.largestError)
        let gain = spread(weights)
        let own = (gain * weights).sum()
        let noise = settings.stepNoise * settings.stepNoise / sum.steps + settings.windowNoise * settings.windowNoise
        let limit = settings.outlierDeviations * (own + bias.variance + noise).squareRoot()
        let isOutlier = error > limit || error < -limit
        if isOutlier { outliers += 1 }
        outlierShare += ((isOutlier ? 1 : 0) - outlierShare) / 64
        if outlierShare > StepModel.tooManyOutliers {
            outlierShare = 0
            covariance = StepModel.identity
        }
        if bias.noticed(isOutlier ? error : 0, driftAfter: settings.driftWindows) { drifts += 1 }
        // While an endpoint is off by itself, what it shows is about itself.
        let total = own + bias.variance + noise
        let clipped = bias.isAdrift ? error : min(max(error, -limit), limit)
        if !bias.isSuspect { correct(by: clipped / total, gain: gain, total: total / (isOutlier ? 0.3 : 1)) }
        bias.correct(by: clipped, total: total)
    }

    /// The covariance times a row.
    private func spread(_ row: SIMD8<Double>) -> SIMD8<Double> {
        var product = SIMD8<Double>()
        for index in 0..<StepModel.count { product[index] = (covariance[index] * row).sum() }
        return product
    }

    private mutating func correct(by step: Double, gain: SIMD8<Double>, total: Double) {
        let corrected = ratios + gain * step
        ratios = pointwiseMax(
            pointwiseMin(corrected, SIMD8(repeating: StepModel.bounds.high)), SIMD8(repeating: StepModel.bounds.low))
        let kept = 1 - settings.forgetting
        for index in 0..<StepModel.count {
            covariance[index] = (covariance[index] - gain * (gain[index] / total)) * kept
            covariance[index][index] += settings.forgetting
            if !(covariance[index][index] > 0 && covariance[index][index] < 4) { return restart() }
        }
        terms = StepTerms(ratios * prior)
        if !terms.isSound { restart() }
    }

    /// Numbers that cannot be: back to the prior.
    private mutating func restart() {
        ratios = SIMD8(repeating: 1)
        covariance = StepModel.identity
        terms = StepTerms(prior)
    }

    /// A streamed answer's first token came after this time; predicted were so many milliseconds when it was sent.
    ///
    /// The overhead follows the median of the error: what came late because others came after it is no overhead.
    package mutating func learnFirstToken(predicted: Double, took actual: Double) {
        guard predicted.isFinite, actual.isFinite, predicted > 0, actual > 0 else { return }
        let miss = actual - predicted
        let reach = 1 + 0.05 * predicted
        overhead = min(500, max(0, overhead + 0.05 * min(reach, max(-reach, miss))))
        let error = min(2, miss.magnitude / max(actual, 1e-3))
        recentError += (error - recentError) / 32
        isTrusted = recentError < (isTrusted ? settings.distrustAbove : settings.trustBelow)
    }
}

/// How much slower one endpoint is than its type.
package struct SpeedBias: Sendable, Equatable {
    /// Its steps take so many times what the model says.
    package private(set) var factor = 1.0
    /// Relative.
    package private(set) var variance = SpeedBias.priorVariance
    /// Outliers in a row, above 0 slower ones, below 0 faster ones.
    private var run = 0
    /// Until its new speed is known.
    private(set) var isAdrift = false

    private static let priorVariance = 0.01
    private static let driftVariance = 1.0
    /// An endpoint may change by so much with every window.
    private static let wander = 4e-6
    private static let bounds = (low: 1.0 / 256, high: 256.0)

    package init() {}

    /// Two outliers on one side: nobody else should learn from this endpoint until it is clear what it is.
    var isSuspect: Bool { isAdrift || run.magnitude >= 2 }

    /// Counts a window's error, 0 when it was none to speak of. True when the endpoint is found changed.
    mutating func noticed(_ error: Double, driftAfter limit: Int) -> Bool {
        if error == 0 {
            run = 0
            if variance < SpeedBias.priorVariance { isAdrift = false }
            return false
        }
        run = error > 0 ? max(run, 0) + 1 : min(run, 0) - 1
        guard run.magnitude >= limit else { return false }
        run = 0
        isAdrift = true
        variance = SpeedBias.driftVariance
        return true
    }

    mutating func correct(by error: Double, total: Double) {
        let gain = variance / total
        factor = min(SpeedBias.bounds.high, max(SpeedBias.bounds.low, factor * (1 + gain * error)))
        variance = min(SpeedBias.driftVariance, variance * (1 - gain) + SpeedBias.wander)
    }
}
