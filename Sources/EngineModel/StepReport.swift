/// What a step did, at its end. Kept by the caller and filled again by every step, so that steps allocate nothing.
package struct StepReport: Sendable {
    /// One entry per sequence that got a token or ended.
    package var emissions: ContiguousArray<Emission> = []

    package init() {}
}

/// One token of one sequence, or its end.
package struct Emission: Sendable, Equatable {
    package var sequence: SequenceID
    /// `Token.none` for a sequence that generates nothing.
    package var token: Int32
    /// Tokens generated so far, this one included.
    package var outputTokens: Int32
    /// Prompt tokens found in the prefix cache when the sequence was first scheduled.
    package var cachedTokens: Int32
    /// Nil while the sequence goes on.
    package var finish: FinishReason?
}

/// Why a sequence ended by itself.
package enum FinishReason: String, Sendable {
    /// The end-of-sequence token or a stop token.
    case stop
    /// The token limit or the model's length.
    case length
}

/// A step that has begun.
package struct StepPlan: Sendable, Equatable {
    package var load: StepLoad
    /// How long it takes, noise included.
    package var nanoseconds: Int64
    /// Sequences that lost their blocks and went back to the queue.
    package var preempted: Int

    package var duration: Duration { .nanoseconds(nanoseconds) }
}

/// How far one running sequence is.
package struct RunningSequence: Sendable, Equatable {
    var slot: Int32
    /// Tokens generated so far.
    package var outputTokens: Int32

    /// As `SequenceID.index`.
    package var index: Int { Int(slot) }
}
