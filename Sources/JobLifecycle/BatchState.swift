/// Where a batch stands; the raw value is OpenAI's word for it.
///
///     validating  → in_progress, failed, cancelling, finalizing (window closed)
///     in_progress → finalizing, cancelling
///     finalizing  → completed, expired, cancelling
///     cancelling  → cancelled
///     completed, failed, expired, cancelled: final
///
/// An expired batch passes through `finalizing`, because its finished lines still become an output file.
package enum BatchState: String, Sendable, CaseIterable {
    case validating
    case inProgress = "in_progress"
    case finalizing
    case completed
    case failed
    case expired
    case cancelling
    case cancelled

    package var isFinal: Bool {
        switch self {
        case .completed, .failed, .expired, .cancelled: true
        case .validating, .inProgress, .finalizing, .cancelling: false
        }
    }
}

/// What can happen to a batch.
package enum BatchEvent: Sendable, CaseIterable {
    /// Every line was read and is good.
    case admitted
    /// The input file is not a batch; nothing ran.
    case rejected
    /// A client asked to cancel. Repeating it changes nothing.
    case cancelRequested
    /// The last line ended.
    case drained
    /// The window closed.
    case windowClosed
    /// The output and error files are there.
    case published
}

/// An event that the state does not allow.
package struct IllegalBatchEvent: Error, Hashable {
    package var state: BatchState
    package var event: BatchEvent

    package init(state: BatchState, event: BatchEvent) {
        self.state = state
        self.event = event
    }
}

extension Batch {
    /// Moves the batch on and stamps the time. The one table of batch transitions.
    package mutating func apply(_ event: BatchEvent, at now: WallTime) throws(IllegalBatchEvent) {
        switch (state, event) {
        case (.validating, .admitted):
            state = .inProgress
            times.inProgress = now
        case (.validating, .rejected):
            state = .failed
            times.failed = now
        case (.validating, .cancelRequested), (.inProgress, .cancelRequested), (.finalizing, .cancelRequested):
            state = .cancelling
            times.cancelling = now
        case (.cancelling, .cancelRequested), (.cancelled, .cancelRequested):
            break
        case (.validating, .windowClosed), (.inProgress, .windowClosed):
            state = .finalizing
            times.finalizing = now
            endsExpired = true
        case (.inProgress, .drained):
            state = .finalizing
            times.finalizing = now
        case (.finalizing, .published):
            state = endsExpired ? .expired : .completed
            if endsExpired { times.expired = now } else { times.completed = now }
        case (.cancelling, .published):
            state = .cancelled
            times.cancelled = now
        default:
            throw IllegalBatchEvent(state: state, event: event)
        }
    }
}
