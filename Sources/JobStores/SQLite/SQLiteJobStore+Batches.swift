import GRDB
package import JobLifecycle

extension SQLiteJobStore {
    package func createBatch(_ draft: BatchDraft, now: WallTime) async throws(StoreFailure) -> Batch {
        let limit = settings.openBatchesPerTenant
        let (batch, isFresh) = try await writer.run { db -> (Batch, Bool) in
            if let key = draft.idempotencyKey {
                let known = try String.fetchOne(
                    db, sql: "SELECT id FROM batch WHERE tenant = ? AND idempotency_key = ?",
                    arguments: [draft.tenant, key])
                if let known { return (try BatchRow.find(db, BatchID(known)), false) }
            }
            let file = try FileRow.find(db, draft.inputFile, tenant: draft.tenant, now: now)
            guard file.purpose == .batch else {
                throw StoreFailure(
                    code: .invalid,
                    message: "File '\(file.id.text)' has purpose '\(file.purpose.rawValue)', not 'batch'.")
            }
            let open = try Int.fetchOne(
                db, sql: "SELECT count(*) FROM batch WHERE ended = 0 AND tenant = ?", arguments: [draft.tenant])
            guard open ?? 0 < limit else {
                throw StoreFailure(
                    code: .limitReached, message: "There are \(limit) batches that have not ended, which is the limit.",
                    retry: .after(.seconds(60)))
            }
            return (try BatchRow.insert(db, draft, now: now), true)
        }
        if isFresh { tell(.batchCreated(batch.id)) }
        return batch
    }

    package func batch(_ id: BatchID, tenant: String) async throws(StoreFailure) -> Batch {
        try await read { db in try BatchRow.find(db, id, tenant: tenant) }
    }

    package func batches(_ query: BatchQuery) async throws(StoreFailure) -> Page<Batch> {
        guard (1...100).contains(query.limit) else {
            throw StoreFailure(code: .invalid, message: "'limit' must be from 1 to 100.")
        }
        return try await read { db in
            var bound = Int64.max
            if let after = query.after { bound = try BatchRow.find(db, after, tenant: query.tenant).serial }
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM batch WHERE tenant = ? AND serial < ? ORDER BY serial DESC LIMIT ?",
                arguments: [query.tenant, bound, query.limit + 1])
            let items = try rows.prefix(query.limit).map { try BatchRow.batch($0) }
            return Page(items: items, hasMore: rows.count > query.limit)
        }
    }

    package func cancelBatch(_ id: BatchID, tenant: String, now: WallTime) async throws(StoreFailure) -> Batch {
        let (batch, isFresh) = try await writer.run { db -> (Batch, Bool) in
            var batch = try BatchRow.find(db, id, tenant: tenant)
            let before = batch.state
            try BatchRow.move(&batch, .cancelRequested, at: now)
            if batch.state == before { return (batch, false) }
            try BatchRow.update(db, batch)
            try SQLiteJobStore.closeLanes(db, batch.serial)
            return (batch, true)
        }
        if isFresh { tell(.batchCancelling(batch.id)) }
        return batch
    }

    package func closeWindows(now: WallTime) async throws(StoreFailure) -> [Batch] {
        try await writer.run { db in
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT * FROM batch WHERE state IN ('validating', 'in_progress') AND expires <= ?
                    ORDER BY expires, serial LIMIT 100
                    """, arguments: [now.milliseconds])
            return try rows.map { row in
                var batch = try BatchRow.batch(row)
                try BatchRow.move(&batch, .windowClosed, at: now)
                try BatchRow.update(db, batch)
                try SQLiteJobStore.closeLanes(db, batch.serial)
                return batch
            }
        }
    }

    /// From here on no line of the batch is claimed.
    static func closeLanes(_ db: Database, _ serial: Int64) throws {
        try db.execute(sql: "UPDATE lane SET open = 0 WHERE batch = ?", arguments: [serial])
    }

    package func nextDue() async throws(StoreFailure) -> WallTime? {
        try await read { db in
            let delayed = try Int64.fetchOne(db, sql: "SELECT min(not_before) FROM job WHERE state = 1")
            let window = try Int64.fetchOne(
                db, sql: "SELECT min(expires) FROM batch WHERE state IN ('validating', 'in_progress')")
            return [delayed, window].compactMap { $0 }.min().map { WallTime(milliseconds: $0) }
        }
    }

    package func overview() async throws(StoreFailure) -> StoreOverview {
        let (limit, endedLimit) = (settings.overviewBatches, settings.overviewEnded)
        let databaseBytes = folder.databaseBytes
        return try await read { db in
            let rows = try Row.fetchAll(
                db, sql: "SELECT * FROM batch WHERE ended = 0 ORDER BY serial LIMIT ?", arguments: [limit])
            let lines = try rows.map { row -> StoreOverview.Line in
                let batch = try BatchRow.batch(row)
                let sums = try Row.fetchOne(
                    db,
                    sql: """
                        SELECT total(pending) AS pending, total(delayed) AS delayed, total(leased) AS leased
                        FROM lane WHERE batch = ?
                        """, arguments: [batch.serial])
                return StoreOverview.Line(
                    batch: batch, pending: sums?["pending"] ?? 0, delayed: sums?["delayed"] ?? 0,
                    leased: sums?["leased"] ?? 0)
            }
            let all = try Int.fetchOne(db, sql: "SELECT count(*) FROM batch WHERE ended = 0") ?? 0
            let stored = try Int.fetchOne(db, sql: "SELECT CAST(total(bytes) AS INTEGER) FROM file") ?? 0
            let ended = try Row.fetchAll(
                db, sql: "SELECT * FROM batch WHERE ended = 1 ORDER BY serial DESC LIMIT ?", arguments: [endedLimit])
            return StoreOverview(
                batches: lines, omitted: all - lines.count, ended: try ended.map(BatchRow.batch),
                bytesOnDisk: databaseBytes + stored)
        }
    }
}
