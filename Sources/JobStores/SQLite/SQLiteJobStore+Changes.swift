import GRDB
package import JobLifecycle

extension SQLiteJobStore {
    package func apply(_ changes: [JobChange], now: WallTime) async throws(StoreFailure) -> [ChangeResult] {
        if changes.isEmpty { return [] }
        let held = held
        return try await writer.run(
            { db -> [ChangeResult] in
                var ledger = ChangeLedger(now: now)
                var results: [ChangeResult] = []
                results.reserveCapacity(changes.count)
                for change in changes {
                    let isHeld = held.lease(of: change.job) == change.lease
                    let isApplied = try isHeld && ledger.apply(db, change)
                    results.append(isApplied ? .applied : .refused)
                }
                let drained = try ledger.flush(db)
                for (index, change) in changes.enumerated().reversed() where results[index] == .applied {
                    guard drained.open[change.job.batchSerial] != nil, case .ended = change.step else { continue }
                    if let batch = drained.take(change.job.batchSerial) { results[index] = .drained(batch) }
                }
                return results
            },
            committed: { results in
                for (change, result) in zip(changes, results) {
                    if case .granted = change.step, result != .refused {
                        held.markLeased(change.job)
                    } else {
                        held.drop(change.job, lease: change.lease)
                    }
                }
            })
    }

    package func wakeDelayed(now: WallTime) async throws(StoreFailure) -> Wakeup {
        let limit = settings.wakeupsPerCall
        return try await writer.run { db in
            let due = try Row.fetchAll(
                db,
                sql: "SELECT id, lane FROM job WHERE state = 1 AND not_before <= ? ORDER BY not_before LIMIT ?",
                arguments: [now.milliseconds, limit])
            var lanes: [Int64: Int] = [:]
            let wake = try db.cachedStatement(sql: "UPDATE job SET state = 0, not_before = NULL WHERE id = ?")
            for row in due {
                lanes[row["lane"], default: 0] += 1
                try wake.execute(arguments: [row["id"] as Int64])
            }
            for (lane, count) in lanes.sorted(by: { $0.key < $1.key }) {
                try db.execute(
                    sql: "UPDATE lane SET pending = pending + ?1, delayed = delayed - ?1 WHERE id = ?2",
                    arguments: [count, lane])
            }
            let next = try Int64.fetchOne(db, sql: "SELECT min(not_before) FROM job WHERE state = 1")
            return Wakeup(woken: due.count, next: next.map { WallTime(milliseconds: $0) })
        }
    }
}
