/// Prompts of ours that one engine has yet to prefill, in the order in which they were sent, as its step loop takes them.
struct PendingPrompts: Sendable {
    /// One prompt. Its tickets are those of `PrefillQueue`.
    struct Prompt: Sendable {
        /// Tokens to prefill, and those before them that are computed or cached.
        var tokens: Double
        var before: Double
        /// Context tokens and sequences with which it will decode.
        var context: Double
        var sequences: Double
        /// In the engine's queue.
        var readyAt: Instant
        /// Its first token will tell when it was prefilled.
        var isStream: Bool
        /// Some of its tokens were prefilled by a step that did not end it.
        var isPartial = false

        /// Attention pairs of the next so many tokens.
        func pairs(of chunk: Double) -> Double { chunk * (before + chunk / 2) }
    }

    private var entries = RingQueue<Prompt>()
    private(set) var frontTicket = 0
    /// Sums over all that wait.
    private(set) var tokens = 0.0
    private(set) var pairs = 0.0
    private(set) var context = 0.0
    private(set) var sequences = 0.0

    init() {}

    var count: Int { entries.count }
    var front: Prompt? { entries.first }

    subscript(index: Int) -> Prompt { entries[index] }

    mutating func add(_ prompt: Prompt) {
        if entries.isEmpty { clear() }
        entries.append(prompt)
        count(prompt, by: 1)
    }

    mutating func popFirst() -> Prompt? {
        guard let prompt = entries.popFirst() else { return nil }
        frontTicket += 1
        count(prompt, by: -1)
        return prompt
    }

    /// A step computed so many tokens of one prompt, at most its own, and did not end it.
    mutating func compute(_ chunk: Double, at index: Int) {
        guard index < entries.count else { return }
        var prompt = entries[index]
        count(prompt, by: -1)
        prompt.tokens -= chunk
        prompt.before += chunk
        prompt.isPartial = true
        entries[index] = prompt
        count(prompt, by: 1)
    }

    /// The work of this ticket left: its place stays, empty, until its turn. False when it is prefilled already.
    mutating func withdraw(_ ticket: Int) -> Bool {
        let index = ticket - frontTicket
        guard index >= 0, index < entries.count else { return false }
        var prompt = entries[index]
        count(prompt, by: -1)
        prompt.tokens = 0
        prompt.context = 0
        prompt.sequences = 0
        entries[index] = prompt
        return true
    }

    private mutating func count(_ prompt: Prompt, by sign: Double) {
        tokens += sign * prompt.tokens
        pairs += sign * prompt.pairs(of: prompt.tokens)
        context += sign * prompt.context
        sequences += sign * prompt.sequences
    }

    /// Sums of nothing are exactly 0, whatever was rounded on the way.
    private mutating func clear() {
        tokens = 0
        pairs = 0
        context = 0
        sequences = 0
    }
}
