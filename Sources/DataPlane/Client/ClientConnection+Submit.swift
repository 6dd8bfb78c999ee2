import FleetTracking
import FlowControl
import NIOCore
import SchedulerRuntime
import Scheduling
import WireFormats

extension ClientConnection {
    /// The body is whole: it is scanned in place, and the work goes to the scheduler.
    func submit(_ body: ByteBuffer) {
        request.bytesIn = body.readableBytes
        let kind = request.kind
        let scanned = body.withUnsafeReadableBytes { bytes -> Result<RequestScan, ScanFailure> in
            do throws(ScanFailure) {
                return .success(try RequestScan.scan(bytes, kind: kind))
            } catch {
                return .failure(error)
            }
        }
        switch scanned {
        case .failure(let failure): refuse(StatusTable.scan(failure))
        case .success(let scan): submit(body, scan)
        }
    }

    private func submit(_ body: ByteBuffer, _ scan: RequestScan) {
        request.model = scan.model
        guard let route = loop.route(model: scan.model, path: request.path) else {
            let known = Array(loop.directory.current.models.keys)
            return refuse(StatusTable.modelNotFound(scan.model, known: known), outcome: .modelNotFound)
        }
        guard route.isAllowed else {
            return refuse(StatusTable.pathNotServed(request.path, model: scan.model, pool: route.poolName))
        }
        var sent = body
        if scan.priority != nil {
            switch route.clientPriority {
            case .pass: break
            case .refuse: return refuse(StatusTable.priorityRefused)
            case .overwrite(let value):
                sent = ByteBuffer(
                    bytes: body.withUnsafeReadableBytes { scan.overwritingPriority(value).apply(to: $0) })
            }
        }
        let work = loop.host.makeWorkID(loop: loop.index)
        let tenant = request.identity.tenant
        var arrival = Arrival(
            work: work, pool: route.pool, model: route.model,
            tenant: tenant.isEmpty ? .everybody : loop.services.names.tenant(tenant), band: .realtime,
            promptTokens: scan.promptTokenEstimate,
            expectedOutputTokens: scan.maximumOutputTokens ?? route.expectedOutputTokens,
            timeToLive: route.realtimeTimeToLive)
        arrival.sequences = scan.sequences
        arrival.outputTokenLimit = scan.maximumOutputTokens
        arrival.isStream = scan.stream
        arrival.mayRetryAfterSend = !scan.store && !scan.background
        arrival.prefix = body.withUnsafeReadableBytes { bytes in
            loop.services.prefixChain(route.model, bytes, scan.promptText)
        }
        var record = draft(.completed, work: work)
        record.pool = route.pool
        record.prefix = arrival.prefix
        record.streamed = scan.stream
        let order = ExchangeOrder(
            work: work, body: sent, reservedBytes: gathering.reserved, mayRetryAfterSend: arrival.mayRetryAfterSend,
            record: record)
        gathering.reserved = 0
        begin(Exchange(order, owner: self, loop: loop), arrival)
    }

    private func begin(_ exchange: Exchange, _ arrival: Arrival) {
        self.exchange = exchange
        phase = .exchange
        setDeadline(stallDue)
        loop.add(exchange)
        loop.host.submit(.arrived(arrival))
    }

    /// A record of the request in hand.
    func draft(_ outcome: Outcome, work: WorkID?) -> RequestRecord {
        var record = RequestRecord(
            work: work, requestID: request.id, band: .realtime, method: request.method, path: request.path,
            outcome: outcome, arrivedAt: request.arrivedAt, endedAt: request.arrivedAt)
        record.model = request.model
        record.tenant = request.identity.tenant
        record.status = request.status
        record.refusal = request.refusal
        record.bytesIn = request.bytesIn
        record.bytesOut = request.bytesOut
        return record
    }

    /// The record of a request that never became work for an engine.
    func tell(_ outcome: Outcome) { loop.hand(draft(outcome, work: nil), outcome) }
}
