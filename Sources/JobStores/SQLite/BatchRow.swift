import Foundation
import GRDB
import JobLifecycle

/// Rows of `batch` as values and back.
enum BatchRow {
    private struct Pair: Codable {
        var key: String
        var value: String
    }

    private struct Fault: Codable {
        var code: String
        var message: String
        var parameter: String?
        var line: Int?
    }

    static func batch(_ row: Row) throws -> Batch {
        var times = BatchTimes(created: time(row, "created"), expires: time(row, "expires"))
        times.inProgress = optionalTime(row, "in_progress")
        times.finalizing = optionalTime(row, "finalizing")
        times.completed = optionalTime(row, "completed")
        times.failed = optionalTime(row, "failed")
        times.expired = optionalTime(row, "expired")
        times.cancelling = optionalTime(row, "cancelling")
        times.cancelled = optionalTime(row, "cancelled")
        var batch = Batch(
            id: BatchID(row["id"]), serial: row["serial"], tenant: row["tenant"], endpoint: row["endpoint"],
            inputFile: FileID(row["input_file"]), completionWindow: row["completion_window"], times: times)
        let word: String = row["state"]
        guard let state = BatchState(rawValue: word) else {
            throw StoreFailure(code: .unavailable, message: "The store has a batch in an unknown state.")
        }
        batch.state = state
        batch.endsExpired = row["ends_expired"]
        batch.metadata = decode([Pair].self, row["metadata"]).map { MetadataEntry(key: $0.key, value: $0.value) }
        batch.outputLifetime = (row["output_lifetime"] as Int64?).map { .milliseconds($0) }
        batch.counts = BatchCounts(
            total: row["total_lines"], completed: row["completed_lines"], failed: row["failed_lines"])
        batch.usage = BatchUsage(
            inputTokens: row["input_tokens"], cachedTokens: row["cached_tokens"], outputTokens: row["output_tokens"])
        batch.faults = decode([Fault].self, row["faults"]).map {
            BatchFault(code: $0.code, message: $0.message, parameter: $0.parameter, line: $0.line)
        }
        batch.outputFile = (row["output_file"] as String?).map { FileID($0) }
        batch.errorFile = (row["error_file"] as String?).map { FileID($0) }
        batch.model = row["model"]
        return batch
    }

    static func find(_ db: Database, _ id: BatchID) throws -> Batch {
        guard
            let row = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT * FROM batch WHERE id = ?"), arguments: [id.text])
        else { throw missing(id) }
        return try batch(row)
    }

    static func find(_ db: Database, _ id: BatchID, tenant: String) throws -> Batch {
        let found = try find(db, id)
        guard found.tenant == tenant else { throw missing(id) }
        return found
    }

    static func missing(_ id: BatchID) -> StoreFailure {
        StoreFailure(code: .notFound, message: "No batch found with id '\(id.text.prefix(128))'.")
    }

    /// Adds a new batch and returns it with its serial.
    static func insert(_ db: Database, _ draft: BatchDraft, now: WallTime) throws -> Batch {
        let name = RandomName.make("batch_")
        try db.execute(
            sql: """
                INSERT INTO batch (id, tenant, endpoint, input_file, completion_window, metadata, output_lifetime,
                    idempotency_key, state, created, expires, planned_output, planned_error)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'validating', ?, ?, ?, ?)
                """,
            arguments: [
                name, draft.tenant, draft.endpoint, draft.inputFile.text, draft.completionWindow,
                encode(draft.metadata.map { Pair(key: $0.key, value: $0.value) }),
                draft.outputLifetime?.wholeMilliseconds, draft.idempotencyKey, now.milliseconds,
                (now + draft.window).milliseconds, RandomName.make("file-"), RandomName.make("file-"),
            ])
        return try find(db, BatchID(name))
    }

    /// Writes state, times, faults and files. Counts and usage have their own increments.
    static func update(_ db: Database, _ batch: Batch) throws {
        let times = batch.times
        try db.execute(
            sql: """
                UPDATE batch SET state = ?, ends_expired = ?, in_progress = ?, finalizing = ?, completed = ?,
                    failed = ?, expired = ?, cancelling = ?, cancelled = ?, faults = ?, output_file = ?,
                    error_file = ?, model = ?, ended = ? WHERE serial = ?
                """,
            arguments: [
                batch.state.rawValue, batch.endsExpired, times.inProgress?.milliseconds,
                times.finalizing?.milliseconds, times.completed?.milliseconds, times.failed?.milliseconds,
                times.expired?.milliseconds, times.cancelling?.milliseconds, times.cancelled?.milliseconds,
                encode(
                    batch.faults.map {
                        Fault(code: $0.code, message: $0.message, parameter: $0.parameter, line: $0.line)
                    }), batch.outputFile?.text, batch.errorFile?.text, batch.model, batch.state.isFinal, batch.serial,
            ])
    }

    /// Moves a batch on; `conflict` where its state does not allow it.
    static func move(_ batch: inout Batch, _ event: BatchEvent, at now: WallTime) throws(StoreFailure) {
        do {
            try batch.apply(event, at: now)
        } catch {
            throw StoreFailure(
                code: .conflict, message: "Batch '\(batch.id.text)' is \(batch.state.rawValue): this is not possible.")
        }
    }

    private static func time(_ row: Row, _ column: String) -> WallTime { WallTime(milliseconds: row[column]) }

    private static func optionalTime(_ row: Row, _ column: String) -> WallTime? {
        (row[column] as Int64?).map { WallTime(milliseconds: $0) }
    }

    private static func encode(_ value: some Encodable) -> String {
        (try? JSONEncoder().encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? "[]"
    }

    private static func decode<Value: Decodable>(_ type: [Value].Type, _ text: String) -> [Value] {
        (try? JSONDecoder().decode(type, from: Data(text.utf8))) ?? []
    }
}
