import GRDB
package import JobLifecycle

extension SQLiteJobStore {
    package func recover(now: WallTime) async throws(StoreFailure) -> Recovery {
        let held = held
        return try await writer.run(
            { db -> Recovery in
                try db.execute(sql: "UPDATE life SET value = value + 1 WHERE key = 'epoch'")
                let epoch = try Int64.fetchOne(db, sql: "SELECT value FROM life WHERE key = 'epoch'") ?? 1
                try SQLiteJobStore.endInterrupted(db, now: now)
                try db.execute(sql: "UPDATE job SET state = 0, lease = NULL WHERE state = 2")
                let released = db.changesCount
                try db.execute(sql: "UPDATE lane SET pending = pending + leased, leased = 0 WHERE leased > 0")
                let validating = try String.fetchAll(
                    db, sql: "SELECT id FROM batch WHERE ended = 0 AND state = 'validating' ORDER BY serial")
                let ending = try String.fetchAll(
                    db,
                    sql: """
                        SELECT id FROM batch WHERE ended = 0 AND state IN ('finalizing', 'cancelling')
                        ORDER BY serial
                        """)
                return Recovery(
                    epoch: epoch, releasedLeases: released, validating: validating.map { BatchID($0) },
                    ending: ending.map { BatchID($0) })
            }, committed: { held.start(epoch: $0.epoch) })
    }

    /// Few: no more than were with engines at once.
    private static func endInterrupted(_ db: Database, now: WallTime) throws {
        let cut = try Int64.fetchAll(db, sql: "SELECT id FROM job WHERE state = 2 AND once = 1 ORDER BY id")
        var ledger = ChangeLedger(now: now)
        for job in cut {
            _ = try ledger.end(db, JobID(rawValue: job), JobRecord(state: .failed, fault: .interrupted))
        }
        // A batch that this drains is `finalizing` now and among those that the recovery tells of.
        _ = try ledger.flush(db)
    }

    package func validationProgress(_ batch: BatchID) async throws(StoreFailure) -> ValidationProgress? {
        try await read { db in
            let found = try BatchRow.find(db, batch)
            guard found.state == .validating else { return nil }
            let lines = try Int.fetchOne(db, sql: "SELECT lines FROM batch WHERE serial = ?", arguments: [found.serial])
            return ValidationProgress(batch: found, lines: lines ?? 0)
        }
    }

    package func insertLines(_ lines: [JobLine], batch: BatchID) async throws(StoreFailure) {
        guard let first = lines.first, let last = lines.last else { return }
        guard last.index < min(JobID.maximumLines, settings.linesPerBatch) else {
            throw StoreFailure(code: .tooLarge, message: "A batch may have \(settings.linesPerBatch) lines.")
        }
        try await writer.run { db in
            let found = try BatchRow.find(db, batch)
            let known = try Int.fetchOne(db, sql: "SELECT lines FROM batch WHERE serial = ?", arguments: [found.serial])
            guard found.state == .validating, known == first.index else {
                throw StoreFailure(code: .conflict, message: "Batch '\(batch.text)' takes no lines.")
            }
            var lanes: [String: (id: Int64, count: Int)] = [:]
            let insert = try db.cachedStatement(
                sql: """
                    INSERT INTO job (id, lane, state, custom_id, body_offset, body_length, prompt_tokens,
                        output_tokens, sequences, once) VALUES (?, ?, 0, ?, ?, ?, ?, ?, ?, ?)
                    """)
            for line in lines {
                var lane = try lanes[line.model] ?? (SQLiteJobStore.lane(db, found, model: line.model), 0)
                lane.count += 1
                lanes[line.model] = lane
                insert.setUncheckedArguments([
                    JobID(batchSerial: found.serial, line: line.index).rawValue, lane.id, line.customID, line.offset,
                    line.length, line.cost.promptTokens, line.cost.outputTokens, line.cost.sequences, line.sendsOnce,
                ])
                try insert.execute()
            }
            for lane in lanes.values.sorted(by: { $0.id < $1.id }) {
                try db.execute(
                    sql: "UPDATE lane SET pending = pending + ? WHERE id = ?", arguments: [lane.count, lane.id])
            }
            try db.execute(
                sql: "UPDATE batch SET lines = ? WHERE serial = ?", arguments: [last.index + 1, found.serial])
        }
    }

    /// The batch's lane for a model, made closed if it is not there.
    private static func lane(_ db: Database, _ batch: Batch, model: String) throws -> Int64 {
        try db.execute(
            sql: "INSERT INTO lane (batch, model, deadline) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            arguments: [batch.serial, model, batch.times.expires.milliseconds])
        guard
            let id = try Int64.fetchOne(
                db, sql: "SELECT id FROM lane WHERE batch = ? AND model = ?", arguments: [batch.serial, model])
        else { throw StoreFailure(code: .unavailable, message: "The store lost a row that it just wrote.") }
        return id
    }

    package func admit(_ batch: BatchID, now: WallTime) async throws(StoreFailure) -> Batch {
        try await writer.run { db in
            var found = try BatchRow.find(db, batch)
            try BatchRow.move(&found, .admitted, at: now)
            let models = try String.fetchAll(
                db, sql: "SELECT model FROM lane WHERE batch = ? ORDER BY id LIMIT 2", arguments: [found.serial])
            found.model = models.count == 1 ? models[0] : nil
            try db.execute(
                sql: "UPDATE batch SET total_lines = lines WHERE serial = ?", arguments: [found.serial])
            try db.execute(sql: "UPDATE lane SET open = 1 WHERE batch = ?", arguments: [found.serial])
            found.counts.total =
                try Int.fetchOne(db, sql: "SELECT lines FROM batch WHERE serial = ?", arguments: [found.serial]) ?? 0
            if found.counts.total == 0 { try BatchRow.move(&found, .drained, at: now) }
            try BatchRow.update(db, found)
            return found
        }
    }

    package func reject(_ batch: BatchID, faults: [BatchFault], now: WallTime) async throws(StoreFailure) -> Batch {
        let limit = settings.faultsPerBatch
        return try await writer.run { db in
            var found = try BatchRow.find(db, batch)
            try BatchRow.move(&found, .rejected, at: now)
            found.faults = Array(faults.prefix(limit))
            try BatchRow.update(db, found)
            return found
        }
    }
}
