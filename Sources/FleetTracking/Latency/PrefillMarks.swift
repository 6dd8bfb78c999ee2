/// The last steps of one engine that prefilled something. What is told of at about the same time is of one step.
struct PrefillMarks: Sendable {
    struct Mark: Sendable {
        var at = Instant(nanoseconds: .min)
        var tokens = 0.0
        var pairs = 0.0
        var prompts = 0.0
    }

    private var marks: [Mark] = []
    private var newest = 0

    /// Steps kept; a window with more is not learned from.
    static let limit = 32

    init() {}

    /// `tolerance`: nanoseconds.
    mutating func add(_ mark: Mark, within tolerance: Int64) {
        if !marks.isEmpty, mark.at.nanoseconds(since: marks[newest].at) <= tolerance {
            marks[newest].tokens += mark.tokens
            marks[newest].pairs += mark.pairs
            marks[newest].prompts += mark.prompts
        } else if marks.count < PrefillMarks.limit {
            marks.append(mark)
            newest = marks.count - 1
        } else {
            newest = (newest + 1) % marks.count
            marks[newest] = mark
        }
    }

    /// Calls `body` with each mark after `start` and up to `end`. Nil when some may be forgotten.
    func each(after start: Instant, upTo end: Instant, _ body: (Mark) -> Void) -> Bool {
        var isComplete = marks.count < PrefillMarks.limit
        for mark in marks {
            if mark.at <= start { isComplete = true } else if mark.at <= end { body(mark) }
        }
        return isComplete
    }
}
