import GRDB
package import JobLifecycle
import WireFormats

extension SQLiteJobStore {
    /// What a sealed batch is published as. The file ids were drawn when the batch was made, so that publishing again
    /// after a crash writes the same files again.
    private struct Plan: Sendable {
        var batch: Batch
        var output: FileID
        var error: FileID
    }

    private struct Built: Sendable {
        var output: (lines: Int, bytes: Int)
        var error: (lines: Int, bytes: Int)
    }

    package func publish(_ batch: BatchID, now: WallTime) async throws(StoreFailure) -> Batch {
        let held = held
        let plan = try await writer.run(
            { db in try SQLiteJobStore.seal(db, batch) }, committed: { held.drop(batchSerial: $0.batch.serial) })
        let built: Built
        do throws(StoreFailure) {
            built = try await slow.run { [self] () throws(StoreFailure) in try build(plan) }
        } catch {
            connection.note(error)
            throw error
        }
        let lifetime = plan.batch.outputLifetime ?? settings.outputLifetime
        return try await writer.run { db in
            var batch = try BatchRow.find(db, plan.batch.id)
            try BatchRow.move(&batch, .published, at: now)
            let made = [
                (plan.output, "output", built.output.lines, built.output.bytes),
                (plan.error, "error", built.error.lines, built.error.bytes),
            ]
            for (id, word, lines, bytes) in made where lines > 0 {
                try FileRow.insert(
                    db,
                    StoredFile(
                        id: id, tenant: batch.tenant, filename: "\(batch.id.text)_\(word).jsonl", purpose: .batchOutput,
                        bytes: bytes, created: now, expires: now + lifetime))
            }
            batch.outputFile = built.output.lines > 0 ? plan.output : nil
            batch.errorFile = built.error.lines > 0 ? plan.error : nil
            try BatchRow.update(db, batch)
            try db.execute(
                sql: "UPDATE batch SET completed_lines = ?, failed_lines = ? WHERE serial = ?",
                arguments: [built.output.lines, built.error.lines, batch.serial])
            return try BatchRow.find(db, batch.id)
        }
    }

    private static func seal(_ db: Database, _ id: BatchID) throws -> Plan {
        let batch = try BatchRow.find(db, id)
        guard batch.state == .finalizing || batch.state == .cancelling else {
            throw StoreFailure(
                code: .conflict, message: "Batch '\(id.text)' is \(batch.state.rawValue) and cannot be published.")
        }
        try closeLanes(db, batch.serial)
        try db.execute(sql: "UPDATE batch SET sealed = 1 WHERE serial = ?", arguments: [batch.serial])
        guard
            let row = try Row.fetchOne(
                db, sql: "SELECT planned_output, planned_error FROM batch WHERE serial = ?", arguments: [batch.serial])
        else { throw BatchRow.missing(id) }
        return Plan(batch: batch, output: FileID(row["planned_output"]), error: FileID(row["planned_error"]))
    }

    /// Writes both files from committed rows. Blocks. Reads a few megabytes at a time, so that neither memory nor the
    /// write-ahead log grows with the batch.
    private func build(_ plan: Plan) throws(StoreFailure) -> Built {
        let pool = try connection.pool()
        var output = try LineFile(id: plan.output, folder: folder)
        var error: LineFile
        do throws(StoreFailure) {
            error = try LineFile(id: plan.error, folder: folder)
            try fill(&output, &error, plan, pool)
        } catch {
            // What was written so far must not take the room that a full disk lacks.
            for id in [plan.output, plan.error] { DiskFile.remove(folder.temporary(id.text)) }
            throw error
        }
        return Built(output: (output.lines, output.bytes), error: (error.lines, error.bytes))
    }

    private func fill(
        _ output: inout LineFile, _ error: inout LineFile, _ plan: Plan, _ pool: DatabasePool
    ) throws(StoreFailure) {
        // A batch that never was admitted has no lines to tell of, whatever was read of its input.
        if plan.batch.counts.total > 0 {
            var last = JobID(batchSerial: plan.batch.serial, line: 0).rawValue - 1
            while let next = try chunk(pool, plan, after: last, &output, &error) { last = next }
        }
        guard output.lines + error.lines == plan.batch.counts.total else {
            throw StoreFailure(
                code: .unavailable,
                message: "Batch '\(plan.batch.id.text)' has \(output.lines + error.lines) lines, not its total.")
        }
        try output.publish()
        try error.publish()
    }

    /// Writes the lines after this job, some megabytes of them; nil: there were none.
    private func chunk(
        _ pool: DatabasePool, _ plan: Plan, after last: Int64, _ output: inout LineFile, _ error: inout LineFile
    ) throws(StoreFailure) -> Int64? {
        let end = JobID(batchSerial: plan.batch.serial, line: JobID.maximumLines - 1).rawValue
        do {
            return try pool.read { db in
                let rows = try Row.fetchCursor(
                    db.cachedStatement(
                        sql: """
                            SELECT job.id, job.custom_id, job.state, result.job AS recorded, result.status,
                                result.request_id, result.code, result.message, result.body
                            FROM job LEFT JOIN result ON result.job = job.id
                            WHERE job.id > ? AND job.id <= ? ORDER BY job.id LIMIT 1000
                            """), arguments: [last, end])
                var seen: Int64?
                var written = 0
                while written < 4 << 20, let row = try rows.next() {
                    let (line, isOutput) = SQLiteJobStore.line(row, endsExpired: plan.batch.endsExpired)
                    if isOutput { try output.append(line) } else { try error.append(line) }
                    written += line.count
                    seen = row["id"]
                }
                return seen
            }
        } catch {
            throw StoreConnection.failure(error)
        }
    }

    /// One line of a file, and whether it belongs to the output file: succeeded lines do, all others to the error file.
    private static func line(_ row: Row, endsExpired: Bool) -> (bytes: [UInt8], isOutput: Bool) {
        let id = "batch_req_" + String(row["id"] as Int64, radix: 16)
        let customID: String = row["custom_id"]
        guard row["recorded"] != nil else {
            let fault = endsExpired ? JobFault.batchExpired : JobFault.batchCancelled
            return (
                BatchOutputLine.failed(id: id, customID: customID, code: fault.code, message: fault.message), false
            )
        }
        let isOutput = row["state"] == JobState.succeeded.rawValue
        if let status: Int = row["status"] {
            let answer = BatchOutputLine.Answer(
                statusCode: status, requestID: row["request_id"] ?? "", body: Blob.bytes(row["body"]))
            return (BatchOutputLine.answered(id: id, customID: customID, answer), isOutput)
        }
        return (
            BatchOutputLine.failed(
                id: id, customID: customID, code: row["code"] ?? "batch_failed",
                message: row["message"] ?? "This request brought no answer."), false
        )
    }
}
