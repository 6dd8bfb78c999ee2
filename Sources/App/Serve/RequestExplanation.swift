import EndpointPicking
import FleetTracking
import FlowControl
import SchedulerRuntime
import WireFormats

/// How one recent request fared and why its endpoint was chosen, for `GET /admin/requests/{id}`.
struct RequestExplanation {
    let record: RequestRecord
    /// The latest pick; nil when it is forgotten or never came to one.
    let decision: PickDecision?
    let directory: Directory

    func write(to json: inout JSONText) {
        json.member("request_id", record.requestID)
        json.member("band", record.band.label)
        json.member("pool", record.pool.flatMap { directory.pool($0)?.name })
        json.member("model", record.model)
        json.member("outcome", record.outcome.rawValue)
        json.member("status", record.status)
        json.member("attempts", record.attempts)
        json.member("endpoint", record.endpoint.flatMap { directory.endpoint($0)?.url })
        json.member("queue_ms", record.forwardedAt.map { ($0 - record.arrivedAt).milliseconds })
        json.member("ttft_ms", record.firstByteAt.map { ($0 - record.arrivedAt).milliseconds })
        json.member("duration_ms", (record.endedAt - record.arrivedAt).milliseconds)
        if let decision {
            json.object("pick") { write(decision, to: &$0) }
        }
    }

    private func write(_ decision: PickDecision, to json: inout JSONText) {
        json.member("attempt", decision.attempt)
        json.member("reason", decision.reason.rawValue)
        json.member("considered", decision.considered)
        json.member("passed_filters", decision.passed)
        json.member("matched_prefix_tokens", decision.matchedTokens)
        json.member("ignored_health", decision.ignoredHealth)
        json.array("candidates") {
            for candidate in decision.candidates {
                $0.object {
                    $0.member("endpoint", directory.endpoint(candidate.endpoint)?.url)
                    $0.member("chosen", candidate.endpoint == decision.chosen)
                    $0.member("total", candidate.total)
                    $0.array("scores") {
                        for term in candidate.terms {
                            $0.object {
                                $0.member("scorer", term.scorer)
                                $0.member("value", term.value)
                                $0.member("weight", term.weight)
                            }
                        }
                    }
                }
            }
        }
    }
}
