import FleetTracking
import FlowControl
import SchedulerRuntime
import WireFormats

/// How one recent request fared, for `GET /admin/requests/{id}`.
struct RequestExplanation {
    let record: RequestRecord
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
    }
}
