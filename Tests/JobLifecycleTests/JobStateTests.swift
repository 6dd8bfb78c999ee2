import JobLifecycle
import Testing

@Suite("The job state table")
struct JobStateTests {
    /// Every legal transition, written out; every other pair must be refused.
    static let legal: [(JobState, JobEvent, JobState)] = [
        (.pending, .granted, .leased), (.pending, .released, .pending), (.pending, .postponed, .delayed),
        (.pending, .succeeded, .succeeded), (.pending, .failed, .failed), (.pending, .expired, .expired),
        (.pending, .cancelled, .cancelled),
        (.delayed, .due, .pending), (.delayed, .failed, .failed), (.delayed, .expired, .expired),
        (.delayed, .cancelled, .cancelled),
        (.leased, .released, .pending), (.leased, .postponed, .delayed), (.leased, .succeeded, .succeeded),
        (.leased, .failed, .failed), (.leased, .expired, .expired), (.leased, .cancelled, .cancelled),
    ]

    @Test("allows what is written and nothing else")
    func table() {
        for state in JobState.allCases {
            for event in JobEvent.allCases {
                let expected = Self.legal.first { $0.0 == state && $0.1 == event }?.2
                #expect(state.after(event) == expected, "\(state) after \(event)")
            }
        }
    }

    @Test("nothing leaves a final state")
    func finalStates() {
        for state in JobState.allCases where state.isFinal {
            for event in JobEvent.allCases { #expect(state.after(event) == nil) }
        }
        #expect(JobState.allCases.filter(\.isFinal) == [.succeeded, .failed, .expired, .cancelled])
    }

    @Test("a job id keeps its batch and line and sorts by them")
    func jobID() {
        let id = JobID(batchSerial: 7, line: 49_999)
        #expect(id.batchSerial == 7)
        #expect(id.line == 49_999)
        #expect(JobID(batchSerial: 7, line: JobID.maximumLines - 1) < JobID(batchSerial: 8, line: 0))
    }

    @Test("a lease token keeps its epoch")
    func lease() {
        #expect(LeaseToken(epoch: 3, serial: 1 << 39).epoch == 3)
        #expect(LeaseToken(epoch: 3, serial: 1) != LeaseToken(epoch: 4, serial: 1))
    }
}
