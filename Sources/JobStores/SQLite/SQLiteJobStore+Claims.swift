import GRDB
import JobLifecycle

extension SQLiteJobStore {
    package func claim(_ request: ClaimRequest) async throws(StoreFailure) -> Claim {
        guard held.epoch > 0 else {
            throw StoreFailure(code: .conflict, message: "The store was not recovered before its first claim.")
        }
        if request.limit <= 0 || request.models.isEmpty {
            return Claim(jobs: [], pending: try await pending(models: request.models).values.reduce(0, +))
        }
        return try await claims.run { [self] () throws(StoreFailure) in
            // Copied before the read: a job that ends in between is passed over, never run twice.
            let before = held.snapshot()
            let found = try readNow { db in
                try SQLiteJobStore.claimable(db, request: request, held: before)
            }
            var jobs: [Job] = []
            for var candidate in found.candidates {
                guard let lease = held.hold(candidate.job.id, lane: candidate.lane) else { continue }
                candidate.job.lease = lease
                jobs.append(candidate.job)
            }
            // Fewer than asked for: everything claimable is held. Else the estimate may be low by jobs that were
            // leased during the read, and must not be 0.
            let pending = found.candidates.count < request.limit ? 0 : max(1, found.unheld - jobs.count)
            return Claim(jobs: jobs, pending: pending)
        }
    }

    package func pending(models: [String]) async throws(StoreFailure) -> [String: Int] {
        if models.isEmpty { return [:] }
        return try await claims.run { [self] () throws(StoreFailure) in
            let before = held.snapshot()
            return try readNow { db in
                var pending: [String: Int] = [:]
                for model in Set(models).intersection(try SQLiteJobStore.modelsWithJobs(db)) {
                    let probe = ClaimRequest(models: [model], limit: 1)
                    let found = try SQLiteJobStore.claimable(db, request: probe, held: before)
                    if !found.candidates.isEmpty { pending[model] = max(1, found.unheld) }
                }
                return pending
            }
        }
    }

    private static func modelsWithJobs(_ db: Database) throws -> Set<String> {
        try String.fetchSet(
            db.cachedStatement(sql: "SELECT DISTINCT model FROM lane WHERE open = 1 AND pending > 0"))
    }

    private func readNow<Value>(_ body: (Database) throws -> Value) throws(StoreFailure) -> Value {
        let pool = try connection.pool()
        do {
            return try pool.read(body)
        } catch {
            let failure = StoreConnection.failure(error)
            connection.note(failure)
            throw failure
        }
    }

    private struct Candidate {
        var job: Job
        var lane: Int64
    }

    private struct Claimable {
        var candidates: [Candidate] = []
        /// Pending jobs of the models, less those that were held before the read. May be too low.
        var unheld = 0
    }

    private static func claimable(
        _ db: Database, request: ClaimRequest, held: HeldJobs.Snapshot
    ) throws -> Claimable {
        var found = Claimable()
        let marks = Array(repeating: "?", count: request.models.count).joined(separator: ", ")
        let lanes = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT lane.id AS lane, lane.model, lane.pending, batch.id, batch.tenant, batch.endpoint,
                        batch.input_file, batch.expires
                    FROM lane JOIN batch ON batch.serial = lane.batch
                    WHERE lane.open = 1 AND lane.pending > 0 AND lane.model IN (\(marks))
                    ORDER BY lane.deadline, lane.batch, lane.id
                    """), arguments: StatementArguments(request.models))
        for lane in lanes {
            let id: Int64 = lane["lane"]
            let unleased = held.unleasedByLane[id] ?? 0
            let pending: Int = lane["pending"]
            found.unheld += max(0, pending - unleased)
            let wanted = request.limit - found.candidates.count
            if wanted <= 0 { continue }
            let rows = try Row.fetchCursor(
                db.cachedStatement(
                    sql: """
                        SELECT id, custom_id, body_offset, body_length, prompt_tokens, output_tokens, sequences,
                            once, attempts, retries
                        FROM job WHERE lane = ? AND state = 0 ORDER BY id LIMIT ?
                        """), arguments: [id, wanted + unleased])
            while let row = try rows.next(), found.candidates.count < request.limit {
                let job = JobID(rawValue: row["id"])
                if held.jobs[job] != nil { continue }
                found.candidates.append(Candidate(job: claimed(job, row, lane), lane: id))
            }
        }
        return found
    }

    private static func claimed(_ id: JobID, _ row: Row, _ lane: Row) -> Job {
        Job(
            id: id, batch: BatchID(lane["id"]), tenant: lane["tenant"], customID: row["custom_id"],
            path: lane["endpoint"], model: lane["model"],
            body: BodyLocation(
                file: FileID(lane["input_file"]), offset: row["body_offset"], length: row["body_length"]),
            cost: JobCost(
                promptTokens: row["prompt_tokens"], outputTokens: row["output_tokens"], sequences: row["sequences"]),
            sendsOnce: row["once"], attempts: row["attempts"], retries: row["retries"],
            deadline: WallTime(milliseconds: lane["expires"]), lease: LeaseToken(rawValue: 0))
    }
}
