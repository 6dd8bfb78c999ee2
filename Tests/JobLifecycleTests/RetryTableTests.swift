import FleetTracking
import JobLifecycle
import Testing

@Suite("The retry table")
struct RetryTableTests {
    let table = RetryTable()

    func context(
        attempts: Int = 0, retries: Int = 0, left: Duration = .seconds(86_400), retryAfter: Duration? = nil,
        sendsOnce: Bool = false, jitter: Double = 0, spread: Double = 0
    ) -> AttemptContext {
        AttemptContext(
            attempts: attempts, retries: retries, timeLeft: left, retryAfter: retryAfter, sendsOnce: sendsOnce,
            draws: (jitter: jitter, spread: spread))
    }

    @Test("2xx and 3xx succeed", arguments: [200, 201, 299, 302, 399])
    func success(status: Int) {
        #expect(table.verdict(for: .answered(status: status), context()) == .succeeded)
    }

    @Test("sheds and lost connections are retried without counting, however often", arguments: [0, 4, 5, 100])
    func sheds(attempts: Int) {
        for result: AttemptResult in [.shed, .full, .unreachable, .answered(status: 429), .answered(status: 503)] {
            #expect(
                table.verdict(for: result, context(attempts: attempts))
                    == .retry(after: .seconds(2), countsAsAttempt: false))
        }
    }

    @Test("other 5xx are retried and counted, and fail with their answer at the cap", arguments: [500, 502, 504, 599])
    func serverErrors(status: Int) {
        #expect(
            table.verdict(for: .answered(status: status), context(attempts: 3))
                == .retry(after: .seconds(2), countsAsAttempt: true))
        #expect(table.verdict(for: .answered(status: status), context(attempts: 4)) == .failed(nil))
    }

    @Test("broken attempts are retried and counted, and fail with their code at the cap")
    func broken() {
        let result = AttemptResult.broken(code: "engine_reset")
        #expect(
            table.verdict(for: result, context(attempts: 3)) == .retry(after: .seconds(2), countsAsAttempt: true))
        guard case .failed(let fault?) = table.verdict(for: result, context(attempts: 4)) else {
            Issue.record("no fault at the cap")
            return
        }
        #expect(fault.code == "engine_reset")
        #expect(fault.message.contains("5 failed attempts"))
    }

    @Test("an answer that found no memory counts as an attempt, and fails at the cap with the setting to raise")
    func unkept() {
        let result = AttemptResult.unkept(code: "buffer_budget", setting: "limits.buffered-bodies")
        #expect(
            table.verdict(for: result, context(attempts: 3)) == .retry(after: .seconds(2), countsAsAttempt: true))
        guard case .failed(let fault?) = table.verdict(for: result, context(attempts: 4)) else {
            Issue.record("no fault at the cap")
            return
        }
        #expect(fault.code == "buffer_budget")
        #expect(fault.message.contains("5 attempts") && fault.message.contains("limits.buffered-bodies"))
    }

    @Test("other 4xx fail at once, with the answer", arguments: [400, 401, 403, 404, 408, 413, 422])
    func clientErrors(status: Int) {
        #expect(table.verdict(for: .answered(status: status), context()) == .failed(nil))
    }

    @Test("what the gateway itself refuses fails at once, with the code")
    func refused() {
        guard case .failed(let fault?) = table.verdict(for: .refused(code: "request_refused"), context()) else {
            Issue.record("not failed with a fault")
            return
        }
        #expect(fault.code == "request_refused")
    }

    @Test("an answer over a limit fails at once, and says which limit")
    func overLimit() {
        let result = AttemptResult.overLimit(code: "answer_too_large", setting: "limits.job-answer")
        guard case .failed(let fault?) = table.verdict(for: result, context()) else {
            Issue.record("not failed with a fault")
            return
        }
        #expect(fault.code == "answer_too_large")
        #expect(fault.message.contains("limits.job-answer"))
    }

    @Test("what the gateway takes back is released, uncounted, also when the window closed")
    func givenBack() {
        for wasSent in [false, true] {
            let result = AttemptResult.givenBack(wasSent: wasSent)
            #expect(table.verdict(for: result, context(attempts: 4, left: .zero)) == .released)
        }
    }

    @Test("a job that may be sent once is tried again only where nothing was sent")
    func sendsOnce() {
        let once = context(sendsOnce: true)
        for result: AttemptResult in [.shed, .unreachable] {
            #expect(table.verdict(for: result, once) == .retry(after: .seconds(2), countsAsAttempt: false))
        }
        #expect(table.verdict(for: .givenBack(wasSent: false), once) == .released)
        #expect(table.verdict(for: .givenBack(wasSent: true), once) == .failed(.interrupted))
        #expect(table.verdict(for: .answered(status: 200), once) == .succeeded)
        for status in [400, 429, 500, 503] {
            #expect(table.verdict(for: .answered(status: status), once) == .failed(nil))
        }
        let ends: [(AttemptResult, String)] = [
            (.full, "engines_full"), (.broken(code: "engine_reset"), "engine_reset"),
            (.unkept(code: "buffer_budget", setting: "limits.buffered-bodies"), "buffer_budget"),
        ]
        for (result, code) in ends {
            guard case .failed(let fault?) = table.verdict(for: result, once) else {
                Issue.record("\(result) did not fail with a fault")
                continue
            }
            #expect(fault.code == code)
            #expect(fault.message.contains("not sent a second time"))
        }
    }

    @Test("nothing is retried once the window closed")
    func expired() {
        #expect(table.verdict(for: .shed, context(left: .zero)) == .expired)
        #expect(table.verdict(for: .answered(status: 500), context(left: .seconds(-1))) == .expired)
        #expect(table.verdict(for: .answered(status: 200), context(left: .seconds(-1))) == .succeeded)
    }

    @Test("backoff: equal jitter, doubling from 2–4 s to 30–60 s")
    func backoff() {
        let ceilings = [4, 8, 16, 32, 60, 60, 60]
        for (retries, ceiling) in ceilings.enumerated() {
            let low = table.delay(context(retries: retries, jitter: 0))
            let high = table.delay(context(retries: retries, jitter: 0.999_999))
            #expect(low == .milliseconds(ceiling * 500))
            #expect(high > .milliseconds(ceiling * 1000 - 10) && high < .seconds(ceiling))
        }
        #expect(table.delay(context(retries: 1_000_000)) == .seconds(30))
    }

    @Test("the time left cuts the backoff")
    func cutByTimeLeft() {
        #expect(table.delay(context(retries: 9, left: .seconds(10))) == .seconds(5))
    }

    @Test("a longer Retry-After is honoured up to half the time left, spread by a quarter")
    func retryAfter() {
        #expect(table.delay(context(retryAfter: .seconds(1))) == .seconds(2))
        #expect(table.delay(context(retryAfter: .seconds(120))) == .seconds(120))
        #expect(table.delay(context(retryAfter: .seconds(120), spread: 0.999_999)) >= .milliseconds(149_999))
        #expect(table.delay(context(left: .seconds(100), retryAfter: .seconds(120))) == .seconds(50))
    }
}
