import DataPlane
import FlowControl
import JobLifecycle

extension AttemptResult {
    /// What an answer means for a retry. The one table between the two words.
    init(_ answer: JobAnswer) {
        // An attempt that was forwarded may have reached its engine.
        let wasSent = answer.endpoint != nil
        switch answer.outcome {
        case .completed: self = .answered(status: answer.status)
        case .enginesFull: self = wasSent ? .full : .shed
        case .queueFull, .queueTimeout, .noEndpoint, .modelNotFound: self = .shed
        case .bufferBudget:
            self = wasSent ? .unkept(code: answer.outcome.rawValue, setting: "limits.buffered-bodies") : .shed
        case .connectFailed: self = .unreachable
        case .engineStreamError, .engineReset, .engineTruncated, .firstByteTimeout, .idleTimeout, .engineProtocol:
            self = .broken(code: answer.outcome.rawValue)
        case .answerTooLarge:
            self = .overLimit(
                code: answer.outcome.rawValue, setting: "limits.job-answer or half of limits.buffered-bodies")
        case .requestRefused: self = .refused(code: answer.outcome.rawValue)
        case .clientGone, .shuttingDown, .withdrawn: self = .givenBack(wasSent: wasSent)
        }
    }
}
