import FleetTracking

/// The prefix chain of prompts under this process's secret key.
struct PromptPrefix: Sendable {
    private let key: PrefixKey

    init(key: PrefixKey = PrefixKey(high: .random(in: .min ... .max), low: .random(in: .min ... .max))) {
        self.key = key
    }

    /// `ranges`: where the prompt's text lies in the body, in order.
    func blocks(_ model: ModelID, _ body: UnsafeRawBufferPointer, _ ranges: [Range<Int>]) -> [PrefixBlock] {
        var hasher = PrefixHasher(key: key, model: model)
        for range in ranges where range.upperBound <= body.count {
            hasher.absorb(UnsafeRawBufferPointer(rebasing: body[range]))
        }
        return hasher.finish()
    }
}
