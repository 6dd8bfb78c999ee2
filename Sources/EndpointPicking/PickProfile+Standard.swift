extension PickProfile {
    /// The default: work ahead, KV near its end, and prefix affinity, in one unit (thousands of prompt tokens).
    ///
    /// A session stays where its prefix is until the work ahead there costs more than the prefill it saves.
    package static let standard = PickProfile(scorers: [
        WeightedScorer(QueueScorer(), weight: 1),
        WeightedScorer(KVScorer(), weight: 8),
        WeightedScorer(PrefixScorer(), weight: 1),
    ])
}
