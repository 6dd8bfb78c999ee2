import FleetTracking
import JobLifecycle
import JobStores
import NIOCore
import SchedulerRuntime
import WireFormats

/// One event of `/admin/live`: a `text/event-stream` record with one line of JSON.
struct LiveEvent {
    /// `hello` (with the whole history) or `tick`.
    let name: String
    let figures: FleetFigures
    /// Nil until the store was asked.
    let overview: StoreOverview?
    let points: ArraySlice<LiveHistory.Point>
    let time: WallTime
    let readiness: Readiness.Report
    let build: BuildInfo

    var bytes: ByteBuffer {
        var json = JSONText(capacity: 4_096)
        json.object {
            $0.member("time", Int(time.milliseconds))
            $0.member("version", build.version)
            $0.member("ready", readiness.isReady)
            $0.member("draining", readiness.isDraining)
            $0.member("store_fault", readiness.storeFault)
            $0.array("points") { for point in points { point.write(to: &$0) } }
            $0.array("pools") { for pool in figures.pools { LiveEvent.write(pool, to: &$0) } }
            $0.array("batches") {
                for line in overview?.batches ?? [] { LiveEvent.write(line.batch, running: line.leased, to: &$0) }
                for batch in overview?.ended ?? [] { LiveEvent.write(batch, running: 0, to: &$0) }
            }
            $0.member("batches_omitted", overview?.omitted ?? 0)
            LiveEvent.writeJobs(overview, to: &$0)
        }
        var buffer = ByteBuffer(string: "event: \(name)\ndata: ")
        buffer.writeBytes(json.bytes)
        buffer.writeString("\n\n")
        return buffer
    }

    private static func writeJobs(_ overview: StoreOverview?, to json: inout JSONText) {
        guard let lines = overview?.batches else { return json.nullMember("jobs") }
        json.object("jobs") {
            $0.member("pending", lines.reduce(0) { $0 + $1.pending })
            $0.member("delayed", lines.reduce(0) { $0 + $1.delayed })
            $0.member("leased", lines.reduce(0) { $0 + $1.leased })
        }
    }

    private static func write(_ pool: FleetFigures.Pool, to json: inout JSONText) {
        json.object {
            $0.member("name", pool.name)
            $0.key("queued")
            pool.queued.write(to: &$0)
            $0.array("endpoints") { for endpoint in pool.endpoints { endpoint.write(to: &$0, pool: nil) } }
        }
    }

    private static func write(_ batch: Batch, running: Int, to json: inout JSONText) {
        json.object {
            $0.member("id", batch.id.text)
            $0.member("tenant", batch.tenant)
            $0.member("status", batch.state.rawValue)
            $0.member("model", batch.model)
            $0.member("endpoint", batch.endpoint)
            $0.member("total", batch.counts.total)
            $0.member("completed", batch.counts.completed)
            $0.member("failed", batch.counts.failed)
            $0.member("running", running)
            $0.member("created", Int(batch.times.created.seconds))
            $0.member("expires", Int(batch.times.expires.seconds))
        }
    }
}
