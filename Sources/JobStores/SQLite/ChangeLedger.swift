import GRDB
import JobLifecycle

/// Steps of jobs within one transaction, with the sums they leave on lanes and batches written once at its end.
struct ChangeLedger {
    private struct LaneDelta {
        var pending = 0
        var delayed = 0
        var leased = 0
    }

    private struct BatchDelta {
        var completed = 0
        var failed = 0
        var usage = BatchUsage()
    }

    /// Batches whose last line ended; each is reported once.
    final class Drained {
        var open: [Int64: BatchID] = [:]
        func take(_ serial: Int64) -> BatchID? { open.removeValue(forKey: serial) }
    }

    private let now: WallTime
    private var lanes: [Int64: LaneDelta] = [:]
    private var batches: [Int64: BatchDelta] = [:]
    private var sealed: [Int64: Bool] = [:]

    init(now: WallTime) { self.now = now }

    /// False: the row's state or lease does not allow the step.
    mutating func apply(_ db: Database, _ change: JobChange) throws -> Bool {
        guard let row = try current(db, change.job), row.lease == nil || row.lease == change.lease.rawValue else {
            return false
        }
        // Told twice of the same grant: nothing is left to do.
        if change.step == .granted, row.state == .leased, row.lease == change.lease.rawValue { return true }
        let event: JobEvent =
            switch change.step {
            case .granted: .granted
            case .released: .released
            case .postponed: .postponed
            case .ended(let record): ChangeLedger.event(record.state)
            }
        guard let next = row.state.after(event), try !isSealed(db, change.job.batchSerial) else { return false }
        switch change.step {
        case .granted:
            try run(
                db, "UPDATE job SET state = 2, lease = ? WHERE id = ?",
                [change.lease.rawValue, change.job.rawValue])
        case .released:
            try run(db, "UPDATE job SET state = 0, lease = NULL WHERE id = ?", [change.job.rawValue])
        case .postponed(let until, let countsAsAttempt):
            try run(
                db,
                """
                UPDATE job SET state = 1, lease = NULL, not_before = ?, attempts = attempts + ?, retries = retries + 1
                WHERE id = ?
                """, [until.milliseconds, countsAsAttempt ? 1 : 0, change.job.rawValue])
        case .ended(let record):
            try write(db, change.job, record, state: next)
        }
        count(row.lane, from: row.state, to: next)
        return true
    }

    /// Ends a line whose holder is gone.
    mutating func end(_ db: Database, _ job: JobID, _ record: JobRecord) throws -> Bool {
        guard let row = try current(db, job), let next = row.state.after(ChangeLedger.event(record.state)),
            try !isSealed(db, job.batchSerial)
        else { return false }
        try write(db, job, record, state: next)
        count(row.lane, from: row.state, to: next)
        return true
    }

    /// Writes the sums and moves batches on whose last line ended.
    func flush(_ db: Database) throws -> Drained {
        for (lane, delta) in lanes.sorted(by: { $0.key < $1.key }) {
            try run(
                db, "UPDATE lane SET pending = pending + ?, delayed = delayed + ?, leased = leased + ? WHERE id = ?",
                [delta.pending, delta.delayed, delta.leased, lane])
        }
        let drained = Drained()
        for (serial, delta) in batches.sorted(by: { $0.key < $1.key }) {
            try run(
                db,
                """
                UPDATE batch SET completed_lines = completed_lines + ?, failed_lines = failed_lines + ?,
                    input_tokens = input_tokens + ?, cached_tokens = cached_tokens + ?,
                    output_tokens = output_tokens + ? WHERE serial = ?
                """,
                [
                    delta.completed, delta.failed, delta.usage.inputTokens, delta.usage.cachedTokens,
                    delta.usage.outputTokens, serial,
                ])
            if let batch = try drain(db, serial) { drained.open[serial] = batch }
        }
        return drained
    }

    private func drain(_ db: Database, _ serial: Int64) throws -> BatchID? {
        let row = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT * FROM batch WHERE serial = ? AND state = 'in_progress'
                        AND completed_lines + failed_lines >= total_lines
                    """), arguments: [serial])
        guard let row else { return nil }
        var batch = try BatchRow.batch(row)
        try BatchRow.move(&batch, .drained, at: now)
        try BatchRow.update(db, batch)
        return batch.id
    }

    private struct Current {
        var state: JobState
        var lane: Int64
        var lease: Int64?
    }

    private func current(_ db: Database, _ job: JobID) throws -> Current? {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT state, lane, lease FROM job WHERE id = ?"), arguments: [job.rawValue])
        guard let row, let state = JobState(rawValue: row["state"]) else { return nil }
        return Current(state: state, lane: row["lane"], lease: row["lease"])
    }

    private mutating func isSealed(_ db: Database, _ serial: Int64) throws -> Bool {
        if let known = sealed[serial] { return known }
        let value = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT sealed OR ended FROM batch WHERE serial = ?"), arguments: [serial])
        sealed[serial] = value ?? true
        return value ?? true
    }

    private mutating func write(_ db: Database, _ job: JobID, _ record: JobRecord, state: JobState) throws {
        try run(
            db, "UPDATE job SET state = ?, lease = NULL, not_before = NULL WHERE id = ?",
            [state.rawValue, job.rawValue])
        try db.cachedStatement(
            sql: "INSERT INTO result (job, status, request_id, code, message, body) VALUES (?, ?, ?, ?, ?, ?)"
        ).execute(
            arguments: [
                job.rawValue, record.response?.status, record.response?.requestID, record.fault?.code,
                record.fault?.message, record.response.map { Blob.data($0.body) },
            ])
        var delta = batches[job.batchSerial] ?? BatchDelta()
        if state == .succeeded { delta.completed += 1 } else { delta.failed += 1 }
        delta.usage.inputTokens += record.usage.inputTokens
        delta.usage.cachedTokens += record.usage.cachedTokens
        delta.usage.outputTokens += record.usage.outputTokens
        batches[job.batchSerial] = delta
    }

    private mutating func count(_ lane: Int64, from old: JobState, to next: JobState) {
        var delta = lanes[lane] ?? LaneDelta()
        func add(_ state: JobState, _ amount: Int) {
            switch state {
            case .pending: delta.pending += amount
            case .delayed: delta.delayed += amount
            case .leased: delta.leased += amount
            case .succeeded, .failed, .expired, .cancelled: break
            }
        }
        add(old, -1)
        add(next, 1)
        lanes[lane] = delta
    }

    private func run(_ db: Database, _ sql: String, _ arguments: StatementArguments) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }

    private static func event(_ state: JobState) -> JobEvent {
        switch state {
        case .succeeded: .succeeded
        case .expired: .expired
        case .cancelled: .cancelled
        case .failed, .pending, .delayed, .leased: .failed
        }
    }
}
