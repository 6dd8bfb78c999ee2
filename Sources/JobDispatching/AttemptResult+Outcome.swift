import FlowControl
import JobLifecycle

extension AttemptResult {
    /// What an outcome means for a retry. The one table between the two words.
    init(_ outcome: Outcome, status: Int) {
        switch outcome {
        case .completed: self = .answered(status: status)
        case .queueFull, .queueTimeout, .noEndpoint, .modelNotFound, .enginesFull, .bufferBudget: self = .shed
        case .connectFailed: self = .unreachable
        case .engineStreamError, .engineReset, .engineTruncated, .firstByteTimeout, .idleTimeout, .engineProtocol:
            self = .broken(code: outcome.rawValue)
        case .requestRefused: self = .refused(code: outcome.rawValue)
        case .clientGone, .shuttingDown, .withdrawn: self = .givenBack
        }
    }
}
